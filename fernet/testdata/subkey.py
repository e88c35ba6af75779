"""Writes subkey.json: subkeys as docs/format.md derives them, computed by Python's
cryptography (Debian package python3-cryptography), independently of the Go code.
The file is frozen; run this to see that it still comes out:

    python3 subkey.py | diff - subkey.json
"""

import base64
import json
import struct

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEYS = [
    "fake-key_for-the-tests_do-not-use-this-one8=",
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE=",
    "__________________________________________8=",
]
CONTEXTS = [
    [],
    [""],
    ["", ""],
    ["blindindex/v1", "users", "email", "email_index"],
    ["ab", "c"],
    ["a", "bc"],
    ["abc"],
    ["tenant", "M\u00fcnchen", "\u6771\u4eac"],
    ["x" * 300],
]


def prefixed(s):
    b = s.encode()
    return struct.pack(">Q", len(b)) + b


def subkey(encoded, context):
    info = b"".join(map(prefixed, ("fernetcol/v1/subkey", *context)))
    hkdf = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=info)
    return hkdf.derive(base64.urlsafe_b64decode(encoded)).hex()


print(json.dumps([{"key": k, "context": c, "subkey": subkey(k, c)} for k in KEYS for c in CONTEXTS], indent=1))
