"""Answers the questions of interop_test.go with Python's cryptography: one JSON
object a line in, one a line out, until the input ends. Plaintext is base64; a
token that Python refuses gives {"invalid": true}."""

import base64
import json
import sys

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


def generate(q):
    return {"key": Fernet.generate_key().decode()}


def encrypt(q):
    plaintext = base64.b64decode(q["plaintext"])
    if "time" in q:
        token = ring(q).encrypt_at_time(plaintext, q["time"])
    else:
        token = ring(q).encrypt(plaintext)
    return {"token": token.decode()}


def decrypt(q):
    token = q["token"].encode()
    if "ttl" in q:
        plaintext = ring(q).decrypt_at_time(token, q["ttl"], q["time"])
    else:
        plaintext = ring(q).decrypt(token)
    return {"plaintext": base64.b64encode(plaintext).decode()}


def rotate(q):
    return {"token": ring(q).rotate(q["token"].encode()).decode()}


def timestamp(q):
    return {"time": Fernet(q["keys"][0]).extract_timestamp(q["token"].encode())}


def ring(q):
    return MultiFernet([Fernet(k) for k in q["keys"]])


OPERATIONS = {f.__name__: f for f in (generate, encrypt, decrypt, rotate, timestamp)}

for line in sys.stdin:
    question = json.loads(line)
    try:
        answer = OPERATIONS[question["op"]](question)
    except InvalidToken:
        answer = {"invalid": True}
    print(json.dumps(answer), flush=True)
