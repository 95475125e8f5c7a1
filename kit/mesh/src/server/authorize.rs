//! Whether the contract lets the caller call the method.

use tonic::{Code, Status};

use super::audit::Audit;
use crate::policy::Verdict;
use crate::status::{self, Layer};
use crate::{Peer, Policy, metrics};

/// Refuses whoever the contract does not name as a caller of `path` on a server of `context`; where the policy is in shadow, only
/// tells of them.
pub(super) fn authorize(policy: &Policy, audit: &Audit, context: &str, path: &str, peer: &Peer) -> Result<(), Status> {
    let caller = peer.id.name();
    match policy.judge(context, path, caller) {
        Verdict::Allowed => Ok(()),
        Verdict::Denied => {
            let refused = status::refusal(
                Layer::Authorize,
                Code::PermissionDenied,
                "CALLER_NOT_ALLOWED",
                "the contract does not allow this workload to call this method",
                [("caller", caller), ("method", path)],
            );
            if !policy.only_tells_of(caller) {
                return Err(refused);
            }
            audit.tell_of_shadow(&refused);
            metrics::would_refuse(caller, policy.label(path));
            Ok(())
        }
        // Answered here and not by the handlers, so that nothing is served that has no policy.
        Verdict::Unknown => Err(status::refusal(
            Layer::Authorize,
            Code::Unimplemented,
            "METHOD_UNKNOWN",
            "the contract has no such method",
            [],
        )),
    }
}
