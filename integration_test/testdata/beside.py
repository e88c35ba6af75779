"""A Python program beside the Go one, on the same SQLite table.

It knows nothing of fernetcol: cryptography.fernet and sqlite3 only. The keys, the
primary one first, are in FERNET_KEYS; the plaintexts go over stdin and stdout as JSON.

    beside.py read FILE     print all rows, decrypted
    beside.py write FILE    insert the rows of stdin, encrypted
    beside.py rotate FILE   move all rows to the primary key
"""

import base64
import json
import os
import sqlite3
import sys

from cryptography.fernet import Fernet, MultiFernet

fernet = MultiFernet([Fernet(key) for key in os.environ["FERNET_KEYS"].split(",")])


def decrypt(value):
    """The plaintext of a column: a token in text, or its bytes without base64."""
    if value is None:
        return None
    if isinstance(value, bytes) and value[:1] == b"\x80":
        value = base64.urlsafe_b64encode(value)
    return fernet.decrypt(value).decode()


def encrypt(value, form):
    if value is None:
        return None
    token = fernet.encrypt(value.encode())
    if form == "text":
        return token.decode()
    if form == "raw":
        return base64.urlsafe_b64decode(token)
    return token  # bytes, as Fernet.encrypt returns it


def rotate(value):
    if value is None:
        return None
    if value[:1] == b"\x80":
        return base64.urlsafe_b64decode(fernet.rotate(base64.urlsafe_b64encode(value)))
    return fernet.rotate(value).decode()


def main(command, file):
    db = sqlite3.connect(file, timeout=10)
    with db:
        if command == "read":
            rows = db.execute("SELECT name, photo, notes, email FROM patients ORDER BY id")
            json.dump([[decrypt(v) for v in row] for row in rows], sys.stdout)
        elif command == "write":
            for i, row in enumerate(json.load(sys.stdin)):
                forms = ("text", "raw", "bytes", "text")
                values = [encrypt(v, form) for v, form in zip(row, forms)]
                db.execute("INSERT INTO patients VALUES (?, ?, ?, ?, ?)", [100 + i, *values])
        elif command == "rotate":
            for id, *row in db.execute("SELECT id, name, photo, notes, email FROM patients").fetchall():
                db.execute(
                    "UPDATE patients SET name = ?, photo = ?, notes = ?, email = ? WHERE id = ?",
                    [*(rotate(v) for v in row), id],
                )
    db.close()


main(*sys.argv[1:])
