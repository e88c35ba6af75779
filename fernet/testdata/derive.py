"""Writes derive.json: what docs/format.md derives from a key, computed by
Python's cryptography (Debian package python3-cryptography), independently of the
Go code. The file is frozen; run this to see that it still comes out:

    python3 derive.py | diff - derive.json
"""

import base64
import json
import struct

from cryptography.hazmat.primitives import hashes, hmac, padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
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
    ["users"],
    ["users", "email"],
    ["usersemail"],
    ["ab", "c"],
    ["a", "bc"],
    ["tenant", "M\u00fcnchen", "\u6771\u4eac"],
    ["x" * 300],
]
PLAINTEXTS = ["", "a", "user@example.com", "\u00fcber sechzehn Zeichen lang", "x" * 100]


def prefixed(s):
    b = s.encode()
    return struct.pack(">Q", len(b)) + b


def derive(key, size, label, *context):
    info = b"".join(map(prefixed, (label, *context)))
    return HKDF(algorithm=hashes.SHA256(), length=size, salt=None, info=info).derive(key)


def mac(key, data):
    h = hmac.HMAC(key, hashes.SHA256())
    h.update(data)
    return h.finalize()


def deterministic_token(key, plaintext):
    iv = mac(derive(key, 32, "fernetcol/v1/deterministic"), plaintext)[:16]
    padder = padding.PKCS7(128).padder()
    padded = padder.update(plaintext) + padder.finalize()
    encryptor = Cipher(algorithms.AES(key[16:]), modes.CBC(iv)).encryptor()
    signed = b"\x80" + bytes(8) + iv + encryptor.update(padded) + encryptor.finalize()
    return signed + mac(key[:16], signed)


def encode(b):
    return base64.urlsafe_b64encode(b).decode()


def tokens(key):
    return [encode(deterministic_token(key, p.encode())) for p in PLAINTEXTS]


def vector(encoded):
    key = base64.urlsafe_b64decode(encoded)
    contexts = []
    for context in CONTEXTS:
        subkey = derive(key, 32, "fernetcol/v1/derive", *context)
        contexts.append({"context": context, "key": encode(subkey), "tokens": tokens(subkey)})
    return {
        "key": encoded,
        "id": derive(key, 8, "fernetcol/v1/key-id").hex(),
        "tokens": tokens(key),
        "derived": contexts,
    }


print(json.dumps({"plaintexts": PLAINTEXTS, "keys": [vector(k) for k in KEYS]}, indent=1))
