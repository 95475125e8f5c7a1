"""Says whether the stubs stand beside the public packages in one program: python3 link.py FOLDER-OF-STUBS."""

import importlib
import sys
from pathlib import Path

from google.api import annotations_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2

folder = Path(sys.argv[1])
sys.path.insert(0, str(folder))
names = sorted(".".join(path.relative_to(folder).with_suffix("").parts) for path in folder.rglob("*.py"))
modules = {name: importlib.import_module(name) for name in names}

info = error_details_pb2.ErrorInfo(reason="PRICE_CHANGED", domain="tradewind")
status = status_pb2.Status(code=code_pb2.FAILED_PRECONDITION)
status.details.add().Pack(info)
read = error_details_pb2.ErrorInfo()
assert status.details[0].Unpack(read) and read == info, status
service = modules["tradewind.ordering.v1.service_pb2"].DESCRIPTOR.services_by_name["OrderingService"]
route = service.methods_by_name["PlaceOrder"].GetOptions().Extensions[annotations_pb2.http]
assert route.post == "/v1/orders", route
assert hasattr(modules["tradewind.ordering.v1.service_pb2_grpc"], "OrderingServiceStub")
print(f"{len(modules)} modules beside googleapis-common-protos")
