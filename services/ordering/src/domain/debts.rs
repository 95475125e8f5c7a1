use contracts::tradewind::ordering::v1::Compensation;

/// What the order has asked others for and, once it is cancelled, is owed back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Debts {
    stock: bool,
    payment: bool,
    shipment: bool,
}

impl Debts {
    /// Something was asked for: from here on it can be owed back.
    pub(super) const fn incur(&mut self, what: Compensation) {
        self.set(what, true);
    }

    /// It was given back, or never taken.
    pub(super) const fn settle(&mut self, what: Compensation) {
        self.set(what, false);
    }

    pub(super) const fn include(self, what: Compensation) -> bool {
        match what {
            Compensation::Stock => self.stock,
            Compensation::Payment => self.payment,
            Compensation::Shipment => self.shipment,
            Compensation::Unspecified => false,
        }
    }

    pub(super) const fn are_settled(self) -> bool {
        !(self.stock || self.payment || self.shipment)
    }

    const fn set(&mut self, what: Compensation, owed: bool) {
        match what {
            Compensation::Stock => self.stock = owed,
            Compensation::Payment => self.payment = owed,
            Compensation::Shipment => self.shipment = owed,
            Compensation::Unspecified => {}
        }
    }
}
