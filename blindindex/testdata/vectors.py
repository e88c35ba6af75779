"""Writes vectors.json: what docs/format.md says of blind indexes, computed by
Python (Debian packages python3-cryptography and python3-argon2), independently of
the Go code. The file is frozen: stored entries depend on every value in it. Run
this to see that it still comes out, with a Python that has Unicode 14 as 3.11 does:

    /usr/bin/python3 vectors.py | diff - vectors.json
"""

import base64
import hashlib
import hmac
import json
import struct
import unicodedata

import argon2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEYS = [
    "fake-key_for-the-tests_do-not-use-this-one8=",
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE=",
    "__________________________________________8=",
]

# Unicode's property White_Space, which Python does not have: str.strip takes
# U+001C to U+001F too.
WHITE_SPACE = set(map(chr, [
    *range(0x09, 0x0E), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B),
    0x2028, 0x2029, 0x202F, 0x205F, 0x3000,
]))


def trim(s):
    start, end = 0, len(s)
    while start < end and s[start] in WHITE_SPACE:
        start += 1
    while start < end and s[end - 1] in WHITE_SPACE:
        end -= 1
    return s[start:end]


def transform(name, s):
    if name.startswith("prefix="):
        return s[: int(name[len("prefix="):])]
    return {
        "lower": str.lower,
        "fold": str.casefold,
        "nfc": lambda s: unicodedata.normalize("NFC", s),
        "nfkc": lambda s: unicodedata.normalize("NFKC", s),
        "trim": trim,
        "digits": lambda s: "".join(c for c in s if c in "0123456789"),
        "lastfour": lambda s: s[-4:],
        "domain": lambda s: s.rsplit("@", 1)[-1],
    }[name](s)


def transform_all(names, s):
    for name in names:
        s = transform(name, s)
    return s


# --- The derivation and the entry ------------------------------------------------


def prefixed(b):
    return struct.pack(">Q", len(b)) + b


def subkey(key, *context):
    info = b"".join(prefixed(c.encode()) for c in ("fernetcol/v1/subkey", *context))
    hkdf = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=info)
    return hkdf.derive(base64.urlsafe_b64decode(key))


def entry(key, context, slow, bits, data):
    context = list(context)
    if slow:
        context.append("argon2id-v19-m%d-t%d-p%d" % (slow["MemoryKiB"], slow["Time"], slow["Threads"]))
        data = argon2.low_level.hash_secret_raw(
            data, subkey(key, *context, "salt"), slow["Time"], slow["MemoryKiB"], slow["Threads"], 32,
            argon2.low_level.Type.ID, 19)
    digest = hmac.new(subkey(key, *context), data, hashlib.sha256).digest()
    digits = (bits + 3) // 4
    value = int.from_bytes(digest, "big") >> (256 - bits) << (4 * digits - bits)
    return "%0*x" % (digits, value)


# --- Indexes of one column -------------------------------------------------------

NAMES = [
    ("users", "email", "email_index"), ("users", "email", "email_index2"), ("users", "name", "email_index"),
    ("people", "email", "email_index"), ("ab", "c", "d"), ("a", "bc", "d"), ("a", "b", "cd"),
    ("M\u00fcnchen", "\u6771\u4eac", "x" * 300),
]
TEXTS = [
    "", "a", "Ada@Example.com", " \u00dcber Stra\u00dfe 12 \u3000", "+49 (30) 1234-5678", "\u039f\u0394\u039f\u03a3",
    "e\u0301\ufb01\uff21", "x" * 5000,
]
CHAINS = [
    [], ["lower"], ["fold"], ["nfc"], ["nfkc"], ["trim"], ["digits"], ["lastfour"], ["domain"], ["prefix=3"],
    ["trim", "nfkc", "fold"], ["digits", "lastfour"], ["lower", "domain", "prefix=4"],
]
FAST = {"Time": 1, "MemoryKiB": 8, "Threads": 1}
SLOW = [FAST, {"Time": 3, "MemoryKiB": 64, "Threads": 1}, {"Time": 2, "MemoryKiB": 259, "Threads": 4},
        {"Time": 2, "MemoryKiB": 19456, "Threads": 1}]


def single(key, names, chain, slow, bits, text):
    value = entry(key, ["blindindex/v1", *names], slow, bits, transform_all(chain, text).encode())
    return {"Key": key, "Names": names, "Transforms": chain, "Argon2id": slow, "Bits": bits, "Text": text, "Value": value}


def singles():
    for key in KEYS:
        for names in NAMES:
            yield single(key, names, [], None, 128, "Ada@Example.com")
    for chain in CHAINS:
        for text in TEXTS:
            yield single(KEYS[0], NAMES[0], chain, None, 128, text)
    for bits in range(1, 128):
        yield single(KEYS[0], NAMES[0], [], None, bits, "a")
        yield single(KEYS[0], NAMES[0], [], None, bits, "Ada@Example.com")
    for slow in SLOW:
        for text in TEXTS[:5]:
            yield single(KEYS[0], NAMES[0], ["digits"], slow, 128, text)
    yield single(KEYS[0], NAMES[0], [], FAST, 9, "a")


# --- Compound and partial indexes ------------------------------------------------


def compound(key, table, name, columns, slow, bits, parts):
    data = b"".join(prefixed(transform_all(chain, p).encode()) for (_, chain), p in zip(columns, parts))
    context = ["blindindex/v1/compound", table, name, str(len(columns)), *(c for c, _ in columns)]
    return {
        "Key": key, "Table": table, "Name": name, "Argon2id": slow, "Bits": bits, "Parts": parts,
        "Columns": [{"Name": c, "Transforms": chain} for c, chain in columns],
        "Value": entry(key, context, slow, bits, data),
    }


def compounds():
    two = [("name", ["trim", "fold"]), ("birth", [])]
    for parts in [["", ""], ["ab", "c"], ["a", "bc"], [" Ada Stra\u00dfe", "1815-12-10"], ["\u00fc" * 2000, "x"]]:
        for key in KEYS:
            yield compound(key, "people", "name_birth", two, None, 128, parts)
        yield compound(KEYS[0], "people", "name_birth", two[::-1], None, 128, parts)
        yield compound(KEYS[0], "people", "name_birth", two, FAST, 128, parts)
        yield compound(KEYS[0], "people", "name_birth", two, None, 13, parts)
    yield compound(KEYS[0], "t", "n", [(c, []) for c in "abcdefghijk"], None, 128, list("kjihgfedcba"))


def partials(kind, key, chain, lengths, slow, bits, text):
    text = transform_all(chain, text)
    if kind == "grams":
        n = lengths[0]
        parts = {text[i : i + n] for i in range(len(text) - n + 1)}
        context = ["blindindex/v1/grams", "users", "name", "name_parts", str(n)]
    else:
        parts = {text[:n] for n in range(lengths[0], lengths[1] + 1) if n <= len(text)}
        context = ["blindindex/v1/prefixes", "users", "name", "name_parts"]
    return sorted({entry(key, context, slow, bits, p.encode()) for p in parts})


def partial():
    for kind, ranges in ("grams", [[2], [3], [4]]), ("prefixes", [[1, 3], [3, 8]]):
        for lengths in ranges:
            for text in ["", "ab", "abc", "abcabcabc", "Ada Lovelace", "Stra\u00dfe", "\u6771\u4eac\u90fd\u5e81", "\U0001d11eab\u00fc"]:
                for key, chain, slow, bits in [(KEYS[0], [], None, 128), (KEYS[1], ["nfkc", "fold"], None, 128), (KEYS[0], [], None, 6), (KEYS[0], [], FAST, 128)]:
                    yield {"Kind": kind, "Key": key, "Transforms": chain, "Lengths": lengths, "Argon2id": slow, "Bits": bits, "Text": text,
                           "Values": partials(kind, key, chain, lengths, slow, bits, text)}


# --- Transforms of every character -----------------------------------------------

# {} is the character, in places that tell what it is: cased, ignored, a mark.
TEMPLATES = {
    "lower": ["{}", "A{}\u03a3", "\u0391\u03a3{}\u0391"],
    "fold": ["{}"],
    "nfc": ["{}", "{}\u0301", "a{}\u0327"],
    "nfkc": ["{}", "{}\u0301", "a{}\u0327"],
    "trim": ["{}", " {} ", "a{}"],
}
BLOCK = 0x800


def assigned():
    """All characters of Unicode 14 but those for private use, as ranges."""
    ranges = []
    for c in range(0x110000):
        if unicodedata.category(chr(c)) in ("Cn", "Cs", "Co"):
            continue
        if ranges and ranges[-1][1] == c - 1:
            ranges[-1][1] = c
        else:
            ranges.append([c, c])
    return ranges


def every(ranges):
    """For each transform, a digest of what it makes of each block of characters."""
    all_digests = {}
    for name, templates in TEMPLATES.items():
        digests = {}
        for first, last in ranges:
            for c in range(first, last + 1):
                h = digests.setdefault("%x" % (c // BLOCK * BLOCK), hashlib.sha256())
                for template in templates:
                    h.update(prefixed(transform(name, template.replace("{}", chr(c))).encode()))
        all_digests[name] = {block: h.hexdigest()[:16] for block, h in digests.items()}
    return all_digests


ranges = assigned()
out = {
    "Single": list(singles()), "Compound": list(compounds()), "Partial": list(partial()),
    "Templates": TEMPLATES, "Block": BLOCK, "Assigned": ranges, "Every": every(ranges),
    "Transforms": [{"Name": n, "In": t, "Out": transform(n, t)} for n in sum(CHAINS[1:10], []) for t in [
        *TEXTS[:7], "\u0130I\u0131i", "STRASSE", "\u1e9e", "\u039f\u0394\u039f\u03a3 \u039f\u03a3\u0391", "\u13a0\uab70\u13f8", "\ufb03\u2460\uff11",
        "\u212b", "\u1100\u1161\u11a8", "\u0085\u180ea\u200b\u2028", "1\u0661\uff12", "a@b@c", "a@", "@", "\u6771\u4eac\u90fd\u5e81\u8005", "\U0001d11e" * 6,
        " \t\r\nA \n", "a\u0000b"]],
}


def lines(value):
    """JSON with a line for each element."""
    if isinstance(value, dict):
        return "{\n" + ",\n".join(json.dumps(k) + ": " + json.dumps(v) for k, v in value.items()) + "\n}"
    return "[\n" + ",\n".join(map(json.dumps, value)) + "\n]"


flat = ("Templates", "Block", "Assigned")
print("{\n" + ",\n".join(json.dumps(k) + ": " + (json.dumps(v) if k in flat else lines(v)) for k, v in out.items()) + "\n}")
