"""Says whether two compilers read the contracts alike: python3 same.py DESCRIPTORS DESCRIPTORS.

Options may be written in any order, so they are read before they are compared. Of the files that each compiler brings itself, which
are of its own age, nothing is said.
"""

import sys
from pathlib import Path

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

texts = [Path(name).read_bytes() for name in sys.argv[1:3]]
pool = descriptor_pool.DescriptorPool()
for file in descriptor_pb2.FileDescriptorSet.FromString(texts[0]).file:
    pool.AddSerializedFile(file.SerializeToString())
kind = message_factory.GetMessageClass(pool.FindMessageTypeByName("google.protobuf.FileDescriptorSet"))


def files(text):
    """Every file that is not a compiler's own, by name."""
    of_ours = (file for file in kind.FromString(text).file if not file.name.startswith("google/protobuf/"))
    return {file.name: file.SerializeToString(deterministic=True) for file in of_ours}


one, other = map(files, texts)
differ = sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))
if differ or not one:
    sys.exit(f"read differently: {', '.join(differ) or 'nothing was read'}")
print(f"{len(one)} files")
