//! The bytes of the messages within a body, without what frames them.

/// Counts the messages that pass in chunks of any size.
#[derive(Debug, Default)]
pub struct Sizes {
    /// Bytes of messages so far.
    pub messages: u64,
    /// What is still to come of the present one.
    left: usize,
    /// What has come of the head before the next one.
    head: [u8; HEAD],
    come: usize,
}

/// The flag and the length before a message.
pub const HEAD: usize = 5;

impl Sizes {
    pub fn pass(&mut self, mut chunk: &[u8]) {
        while !chunk.is_empty() {
            if self.left > 0 {
                let taken = self.left.min(chunk.len());
                self.left -= taken;
                self.messages += taken as u64;
                chunk = &chunk[taken..];
            } else {
                let taken = (HEAD - self.come).min(chunk.len());
                self.head[self.come..self.come + taken].copy_from_slice(&chunk[..taken]);
                self.come = (self.come + taken) % HEAD;
                chunk = &chunk[taken..];
                if self.come == 0 {
                    let [_, length @ ..] = self.head;
                    self.left = u32::from_be_bytes(length) as usize;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Sizes;

    #[test]
    fn messages_are_counted_however_they_are_cut() {
        let body = [&[0, 0, 0, 0, 3, b'a', b'b', b'c'][..], &[0, 0, 0, 0, 0], &[1, 0, 0, 1, 0], &[7; 256]].concat();
        for size in 1..=body.len() {
            let mut sizes = Sizes::default();
            body.chunks(size).for_each(|chunk| sizes.pass(chunk));
            assert_eq!(sizes.messages, 3 + 256, "in chunks of {size}");
        }
    }
}
