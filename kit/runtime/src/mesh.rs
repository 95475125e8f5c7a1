//! How the calls of this process stand and the faults that are put into them, over the wire.

mod convert;
#[cfg(any(test, feature = "fuzzed"))]
pub(crate) mod fuzzed;
mod log;

use contracts::tradewind::mesh::v1::{
    ClearFaultsRequest, ClearFaultsResponse, GetMeshStatusRequest, GetMeshStatusResponse, ListFaultsRequest,
    ListFaultsResponse, SetFaultRequest, SetFaultResponse, SetLogFilterRequest, SetLogFilterResponse,
    mesh_service_server::{MeshService, MeshServiceServer},
};
use tonic::{Request, Response, Status};
use tradewind_mesh::{Channels, Identity, Loads, Policy, principal, status};
use tradewind_store::Clock;

use crate::telemetry::level::Level;

/// Serves what operators ask of a process's calls; the runtime does so for every service.
pub(crate) fn mesh(process: Process) -> MeshServiceServer<impl MeshService> {
    MeshServiceServer::new(process)
}

/// One process of a service, as far as its calls go.
pub(crate) struct Process {
    pub(crate) service: &'static str,
    /// Its name among the service's processes, if it has one.
    pub(crate) instance: Option<String>,
    pub(crate) identity: Identity,
    pub(crate) policy: Policy,
    /// What it calls others through; the faults are theirs.
    pub(crate) channels: Channels,
    /// What its server has to do.
    pub(crate) loads: Loads,
    /// What it logs.
    pub(crate) level: Level,
}

#[tonic::async_trait]
impl MeshService for Process {
    async fn get_mesh_status(
        &self,
        _: Request<GetMeshStatusRequest>,
    ) -> Result<Response<GetMeshStatusResponse>, Status> {
        Ok(Response::new(GetMeshStatusResponse {
            service: self.service.to_owned(),
            instance: self.instance.clone().unwrap_or_default(),
            version: crate::VERSION.to_owned(),
            generations: convert::generations(&self.identity.generations()),
            peers: self.channels.status().into_iter().map(convert::peer).collect(),
            faults: self.channels.faults().list().into_iter().map(convert::fault).collect(),
            load: Some(convert::load(self.loads.now())),
            log: Some(log::now(&self.level)),
        }))
    }

    async fn set_fault(&self, request: Request<SetFaultRequest>) -> Result<Response<SetFaultResponse>, Status> {
        let by = principal(&request)?;
        let wanted = convert::wanted(request.into_inner(), self.channels.services()).map_err(status)?;
        let fault = self.channels.faults().set(&self.policy, self.service, wanted, &by).map_err(status)?;
        Ok(Response::new(SetFaultResponse { fault: Some(convert::fault(fault)) }))
    }

    async fn set_log_filter(
        &self,
        request: Request<SetLogFilterRequest>,
    ) -> Result<Response<SetLogFilterResponse>, Status> {
        let by = principal(&request)?;
        log::set(&self.level, request.into_inner(), Clock::system().now(), &by).map_err(status)?;
        Ok(Response::new(SetLogFilterResponse { log: Some(log::now(&self.level)) }))
    }

    async fn list_faults(&self, _: Request<ListFaultsRequest>) -> Result<Response<ListFaultsResponse>, Status> {
        let faults = self.channels.faults().list();
        Ok(Response::new(ListFaultsResponse { faults: faults.into_iter().map(convert::fault).collect() }))
    }

    async fn clear_faults(
        &self,
        request: Request<ClearFaultsRequest>,
    ) -> Result<Response<ClearFaultsResponse>, Status> {
        let by = principal(&request)?;
        let faults = self.channels.faults().clear(&request.into_inner().numbers, &by);
        Ok(Response::new(ClearFaultsResponse { faults: faults.into_iter().map(convert::fault).collect() }))
    }
}
