#!/usr/bin/env python3
"""Verifies a Countersign receipt offline, as spec/receipts.md says.

    python verify_receipt.py receipt.json [--account FINGERPRINT] [--enquirer FINGERPRINT] [--json]

It was written from the pages of spec/ and shares no code with Countersign: signatures are verified by
joserfc, a public JOSE library, and the passcode's commitment by Argon2id of cryptography.

It does not check the rules of display text (spec/requests.md, "Display text"): the device that answered did.
So it prints every text as an ASCII JSON string, in which nothing can hide.

Exit status: 0 accepted, 1 rejected or reported as fraud, 5 ended by wrong passcodes, 8 not good (with the
error code on standard error), 64 the command was not understood.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import ipaddress
import json
import re
import sys
import warnings
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Callable

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey

# joserfc prefers RFC 9864's name "Ed25519"; statements carry RFC 8037's "EdDSA".
warnings.filterwarnings("ignore", module=r"joserfc(\..*)?")

MAX_STATEMENT = 65_536
MAX_DEPTH = 16
MAX_DEVICES = 20
CLOCK_SKEW = 60
LONGEST_LIFETIME = 86_400
LIFETIME = {"login": 600, "payment": 600, "approval": 86_400}
CHECKPOINT_AGE = {"login": 3600, "payment": 3600, "approval": 86_400}
OUTCOMES = {"accept": 0, "reject": 1, "fraud": 1, "passcode-failed": 5}
NOT_GOOD = 8
ED25519_PRIME = 2**255 - 19
#: The y of the points whose order divides 8.
ED25519_SMALL_ORDER = frozenset(
    {
        0,
        1,
        ED25519_PRIME - 1,
        0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826,
        0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7,
    }
)
USAGE = 64


class Refused(Exception):
    """Refused outside data: a code of the closed list, and what was wrong."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


# --- encodings (statements.md: Base64url, Strict JSON, Fingerprints)


def decode_base64url(text: str) -> bytes:
    if not re.fullmatch(r"[A-Za-z0-9_-]*", text) or len(text) % 4 == 1:
        raise Refused("encoding-invalid", "not base64url")
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if encode_base64url(data) != text:
        raise Refused("encoding-invalid", "not canonical base64url")
    return data


def encode_base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def parse_json(source: bytes | str) -> Any:
    try:
        text = source if isinstance(source, str) else source.decode("utf-8")
        value = json.loads(text, object_pairs_hook=_members, parse_constant=_no_constant)
    except Refused:
        raise
    except (ValueError, RecursionError) as cause:
        raise Refused("json-invalid", "not JSON in UTF-8") from cause
    _check_json(value)
    return value


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Refused("json-invalid", "a member name stands twice in one object")
    return members


def _no_constant(name: str) -> None:
    raise Refused("json-invalid", f"{name} is not JSON")


def _check_json(root: Any) -> None:
    unread = [(root, 0)]
    while unread:
        value, depth = unread.pop()
        if isinstance(value, str):
            _check_text(value)
        elif isinstance(value, (dict, list)):
            if depth >= MAX_DEPTH:
                raise Refused("json-invalid", f"nested deeper than {MAX_DEPTH}")
            if isinstance(value, dict):
                for name in value:
                    _check_text(name)
            children = value.values() if isinstance(value, dict) else value
            unread.extend((child, depth + 1) for child in children)


def _check_text(text: str) -> None:
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise Refused("json-invalid", "a string has a lone surrogate")


def fingerprint(content_type: str, data: bytes) -> str:
    content = hashlib.sha512(data).digest()
    bound = hashlib.sha512(content_type.encode() + b":" + content).digest()
    return group(base64.b32encode(b"\x60" + bound).decode("ascii")[:28])


def group(letters: str) -> str:
    return "-".join(letters[i : i + 4] for i in range(0, len(letters), 4))


def key_fingerprint(key: dict[str, str]) -> str:
    # Sorted names and no white space: the canonical form of RFC 7638 section 3.
    canonical = json.dumps(key, sort_keys=True, separators=(",", ":"))
    return fingerprint("application/jwk+json", canonical.encode())


def statement_id(hash_text: str) -> str:
    return fingerprint("application/vnd.countersign.statement", decode_base64url(hash_text))


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


# --- forms: each is a function that says whether a value has it

Form = Callable[[Any], bool]


def text(pattern: str, longest: int = MAX_STATEMENT) -> Form:
    matcher = re.compile(pattern, re.ASCII | re.DOTALL)
    return lambda v: isinstance(v, str) and len(v) <= longest and matcher.fullmatch(v) is not None


def line(max_bytes: int) -> Form:
    """Of the rules of display text, only the length."""
    return lambda v: isinstance(v, str) and 0 < len(v.encode()) <= max_bytes


def whole(least: int, most: int = 2**53 - 1) -> Form:
    def has(v: Any) -> bool:
        number = isinstance(v, (int, float)) and not isinstance(v, bool)
        return number and v == v // 1 and least <= v <= most

    return has


def one_of(*values: Any) -> Form:
    return lambda v: any(type(v) is type(value) and v == value for value in values)


def array(item: Form, least: int = 0, most: int = 10_000) -> Form:
    return lambda v: isinstance(v, list) and least <= len(v) <= most and all(map(item, v))


def members(required: dict[str, Form], optional: dict[str, Form] | None = None) -> Form:
    """An object with exactly these members."""
    optional = optional or {}
    known = {**required, **optional}

    def has(v: Any) -> bool:
        if not isinstance(v, dict) or not required.keys() <= v.keys() <= known.keys():
            return False
        return all(known[name](value) for name, value in v.items())

    return has


def mapping(name: Form, value: Form) -> Form:
    return lambda v: isinstance(v, dict) and all(map(name, v)) and all(map(value, v.values()))


def any_of(*forms: Form) -> Form:
    return lambda v: any(form(v) for form in forms)


def both(form: Form, check: Callable[[Any], bool]) -> Form:
    return lambda v: form(v) and check(v)


LOCAL = r"[a-z0-9](?:[a-z0-9._+-]{0,62}[a-z0-9])?"
LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
NAME = text(rf"(?!.*\.\.){LOCAL}@{LABEL}(?:\.{LABEL})*", 254)
ORIGIN_TEXT = text(r"https?://(?:[a-z0-9._-]+|\[[0-9a-f:]+\])(?::[1-9][0-9]{0,4})?", 255)


def is_origin(v: Any) -> bool:
    if not ORIGIN_TEXT(v):
        return False
    scheme, rest = v.split("://")
    host, port = re.fullmatch(r"(\[.*\]|[^:]*)(?::(.*))?", rest).groups()
    if port is not None and (int(port) > 65_535 or int(port) == {"http": 80, "https": 443}[scheme]):
        return False
    try:
        if host.startswith("["):
            return host[1:-1] == ipv6_text(ipaddress.IPv6Address(host[1:-1]))
        last = host.removesuffix(".").rsplit(".", 1)[-1]
        if re.fullmatch(r"[0-9]+|0x[0-9a-f]*", last):
            return host == str(ipaddress.IPv4Address(host))
    except ValueError:
        return False
    return True


def ipv6_text(address: ipaddress.IPv6Address) -> str:
    mapped = address.ipv4_mapped
    return str(address) if mapped is None else "::ffff:%x:%x" % divmod(int(mapped), 65_536)


BYTES_16 = text(r"[A-Za-z0-9_-]{21}[AQgw]")
BYTES_32 = text(r"[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]")
HASH = BYTES_32
KID = text(r"[A-Z2-7]{4}(?:-[A-Z2-7]{4}){6}")
SECONDS = whole(0, 4_102_444_800)
SEALED_BYTES = text(r"[A-Za-z0-9_-]+", 32_768)
JWS = text(r".*")
HEAD = members({"seq": whole(0), "hash": HASH})

SIGNING_KEY = any_of(
    members({"kty": one_of("OKP"), "crv": one_of("Ed25519"), "x": BYTES_32}),
    members({"kty": one_of("EC"), "crv": one_of("P-256"), "x": BYTES_32, "y": BYTES_32}),
)
SEALING_KEY = members({"kty": one_of("OKP"), "crv": one_of("X25519"), "x": BYTES_32})
RIGHTS = both(
    array(one_of("ask", "answer", "pay", "admit", "recover"), 1),
    lambda rights: len(set(rights)) == len(rights),
)
EPOCH = members({"n": whole(0), "key": SEALING_KEY, "sealed": mapping(KID, SEALED_BYTES)})
POSITION = {"sub": NAME, "iat": SECONDS, "seq": whole(1), "prev": HASH}
SEALED = members({"epoch": whole(0), "digest": HASH, "box": SEALED_BYTES})

PASSCODE = both(
    members(
        {
            "alg": one_of("argon2id"),
            "m": whole(8, 65_536),
            "t": whole(1, 16),
            "p": whole(1, 16),
            "salt": BYTES_16,
            "hash": BYTES_32,
        }
    ),
    lambda c: c["m"] >= 8 * c["p"] and c["m"] * c["t"] <= 131_072,
)
PART = any_of(
    members({"type": one_of("h1", "p"), "text": line(1024)}),
    members({"type": one_of("button"), "value": one_of("accept", "reject"), "text": line(64)}),
)
FIELD = members({"name": line(64), "value": line(8192)})


def _question_holds_together(question: dict[str, Any]) -> bool:
    parts = "".join(part["text"] for part in question["parts"])
    fields = "".join(one["name"] + one["value"] for one in question.get("fields", []))
    asks = any(part["type"] != "button" for part in question["parts"])
    return asks and len(parts.encode()) <= 1024 and len(fields.encode()) <= 8192


QUESTION = both(
    members(
        {
            "kind": one_of("login", "payment", "approval"),
            "parts": array(PART, 1, 32),
            "salt": BYTES_16,
        },
        {"fields": array(FIELD, 0, 64), "passcode": PASSCODE, "uv": one_of(True)},
    ),
    _question_holds_together,
)
PERSON = {"salt": BYTES_16, "shown": one_of("screen", "hash", "caller")}
DECISION = any_of(
    members(
        {**PERSON, "decision": one_of("accept")},
        {"uv": one_of(True), "passcode": text(r"[0-9]{6}")},
    ),
    members({**PERSON, "decision": one_of("reject", "fraud")}, {"uv": one_of(True)}),
    members({"salt": BYTES_16, "decision": one_of("passcode-failed"), "failures": whole(1)}),
)

REQUEST_CLEAR = {
    "jti": BYTES_16,
    "iss": NAME,
    "iss_id": HASH,
    "sub": NAME,
    "sub_id": HASH,
    "aud": is_origin,
    "iat": SECONDS,
    "exp": SECONDS,
}
RESPONSE_CLEAR = {"req": HASH, "iss": NAME, "iss_id": HASH, "iat": SECONDS, "head": HEAD}

#: The kinds of statement that a receipt holds, and the forms of their payloads.
KINDS: dict[str, Form] = {
    "device": members(
        {
            "sub": NAME,
            "sub_id": HASH,
            "iat": SECONDS,
            "sig": SIGNING_KEY,
            "enc": SEALING_KEY,
            "name": line(64),
        }
    ),
    "genesis": members(
        {
            "sub": NAME,
            "iat": SECONDS,
            "seq": whole(0, 0),
            "device": members(
                {"sig": SIGNING_KEY, "enc": SEALING_KEY, "name": line(64), "rights": RIGHTS}
            ),
            "epoch": EPOCH,
        }
    ),
    "device-add": members(
        {**POSITION, "device": text(r".*", 4096), "rights": RIGHTS, "sealed": SEALED_BYTES}
    ),
    "device-revoke": members({**POSITION, "kid": KID, "reason": one_of("retired", "lost")}),
    "epoch": members({**POSITION, "epoch": EPOCH}),
    "request": any_of(
        members({**REQUEST_CLEAR, "content": QUESTION}),
        members({**REQUEST_CLEAR, "sealed": SEALED}),
    ),
    "response": any_of(
        members({**RESPONSE_CLEAR, "content": DECISION}),
        members({**RESPONSE_CLEAR, "sealed": SEALED}),
    ),
    "checkpoint": members(
        {"iss": is_origin, "sub": NAME, "sub_id": HASH, "iat": SECONDS, "head": HEAD}
    ),
}
ENTRIES = ("genesis", "device-add", "device-revoke", "epoch")
HEADER = members({"alg": one_of("EdDSA", "ES256"), "typ": text(r".*", 64), "kid": text(r".*", 64)})
LOG = array(JWS, 1)
RECEIPT = members(
    {
        "countersign": one_of("receipt/1"),
        "request": JWS,
        "response": JWS,
        "enquirer_log": LOG,
        "account_log": LOG,
        "checkpoint": members({"statement": JWS, "key": SIGNING_KEY}),
    },
    {
        "disclosed": members(
            {"request": lambda v: isinstance(v, str), "response": lambda v: isinstance(v, str)}
        )
    },
)


# --- statements (statements.md)


@dataclass(frozen=True)
class Statement:
    kind: str
    algorithm: str
    kid: str
    payload: dict[str, Any]
    hash: str
    jws: str


def parse_statement(compact: str, *kinds: str) -> Statement:
    """A statement of one of these kinds; its form is checked, not its signature."""
    if len(compact) > MAX_STATEMENT:
        raise Refused("statement-malformed", "a statement longer than 64 KiB")
    parts = compact.split(".")
    if len(parts) != 3:
        raise Refused("statement-malformed", "not a compact JWS: expected three parts")
    header = parse_json(decode_base64url(parts[0]))
    if not HEADER(header):
        raise Refused("statement-malformed", "the header must hold alg, typ and kid, and no more")
    kind = next((one for one in kinds if header["typ"] == f"countersign-{one}+jwt"), None)
    if kind is None:
        raise Refused("statement-type", f"a statement of another kind: {header['typ']!r}")
    payload = parse_json(decode_base64url(parts[1]))
    if not KINDS[kind](payload):
        raise Refused("statement-malformed", f"a {kind} of the wrong form")
    signing_input = f"{parts[0]}.{parts[1]}".encode()
    return Statement(
        kind, header["alg"], header["kid"], payload, encode_base64url(sha256(signing_input)), compact
    )


def verify_statement(statement: Statement, key: dict[str, str]) -> None:
    """Checks a signature by a key, which must be the one that the statement names."""
    signature = decode_base64url(statement.jws.rsplit(".", 1)[1])
    expected = "EdDSA" if key["kty"] == "OKP" else "ES256"
    if (
        statement.algorithm != expected
        or len(signature) != 64
        or statement.kid != key_fingerprint(key)
        or not _signature_good(statement, key)
    ):
        raise Refused("signature-invalid", "the signature is not by the key that it names")


def _signature_good(statement: Statement, key: dict[str, str]) -> bool:
    if key["kty"] == "OKP":
        r = decode_base64url(statement.jws.rsplit(".", 1)[1])[:32]
        if _small_order(r) or _small_order(decode_base64url(key["x"])):
            return False
    try:
        public = (OKPKey if key["kty"] == "OKP" else ECKey).import_key(dict(key))
        jws.deserialize_compact(statement.jws, public, algorithms=[statement.algorithm])
    except (JoseError, ValueError, TypeError):
        return False
    return True


def _small_order(point: bytes) -> bool:
    """OpenSSL leaves this check to its caller; without it some signatures are good for any words."""
    y = int.from_bytes(point, "little") & (1 << 255) - 1
    return y % ED25519_PRIME in ED25519_SMALL_ORDER


# --- device logs (device-log.md)


@dataclass(frozen=True)
class Device:
    kid: str
    key: dict[str, str]
    name: str
    rights: frozenset[str]
    added: int


@dataclass
class Log:
    name: str
    identity: str
    hashes: list[str]
    epoch: int
    devices: dict[str, Device]
    revoked: set[str] = field(default_factory=set)

    def active(self, kid: str) -> Device:
        if kid not in self.devices:
            raise Refused("device-unknown", f"{self.name} has no device {kid}")
        if kid in self.revoked:
            raise Refused("device-revoked", f"the device {kid} of {self.name} was revoked")
        return self.devices[kid]

    def active_kids(self) -> set[str]:
        return self.devices.keys() - self.revoked


def check_right(device: Device, right: str) -> None:
    if right not in device.rights:
        raise Refused("device-not-entitled", f"the device {device.kid} has not the right {right!r}")


def replay_log(entries: list[str]) -> Log:
    genesis = parse_statement(entries[0], "genesis")
    payload = genesis.payload
    device = payload["device"]
    verify_statement(genesis, device["sig"])
    if "admit" not in device["rights"]:
        raise Refused("log-invalid", "the first device must have the right to admit others")
    if payload["epoch"]["n"] != 0:
        raise Refused("log-invalid", "the first epoch must be number 0")
    check_sealed_to(payload["epoch"], {genesis.kid})
    founder = Device(genesis.kid, device["sig"], device["name"], frozenset(device["rights"]), 0)
    log = Log(payload["sub"], genesis.hash, [genesis.hash], 0, {genesis.kid: founder})
    for entry in entries[1:]:
        apply_entry(log, parse_statement(entry, *ENTRIES))
    return log


def apply_entry(log: Log, entry: Statement) -> None:
    payload = entry.payload
    if entry.kind == "genesis":
        raise Refused("log-invalid", "a second first entry")
    if payload["sub"] != log.name:
        raise Refused("log-invalid", "an entry of another account")
    if payload["seq"] != len(log.hashes):
        raise Refused("log-invalid", f"entry {payload['seq']} after entry {len(log.hashes) - 1}")
    if payload["prev"] != log.hashes[-1]:
        raise Refused("log-invalid", "an entry that follows another than the one before it")
    signer = log.active(entry.kid)
    verify_statement(entry, signer.key)
    if entry.kind == "device-add":
        admit(log, signer, payload)
    elif entry.kind == "device-revoke":
        target = log.active(payload["kid"])
        if target.kid != signer.kid:
            check_right(signer, "admit")
        log.revoked.add(target.kid)
    else:
        check_right(signer, "admit")
        if payload["epoch"]["n"] != log.epoch + 1:
            raise Refused("log-invalid", "an epoch of the wrong number")
        check_sealed_to(payload["epoch"], log.active_kids())
        log.epoch += 1
    log.hashes.append(entry.hash)


def admit(log: Log, signer: Device, payload: dict[str, Any]) -> None:
    check_right(signer, "admit")
    for right in payload["rights"]:
        check_right(signer, right)
    if len(log.active_kids()) >= MAX_DEVICES:
        raise Refused("log-invalid", f"more than {MAX_DEVICES} devices")
    word = parse_statement(payload["device"], "device")
    verify_statement(word, word.payload["sig"])
    if word.payload["sub"] != log.name or word.payload["sub_id"] != log.identity:
        raise Refused("account-mismatch", "the new device asked to belong to another account")
    if word.kid in log.devices:
        raise Refused("log-invalid", "a device that was in the account before")
    log.devices[word.kid] = Device(
        word.kid,
        word.payload["sig"],
        word.payload["name"],
        frozenset(payload["rights"]),
        int(payload["seq"]),
    )


def check_sealed_to(epoch: dict[str, Any], kids: set[str]) -> None:
    if epoch["sealed"].keys() != kids:
        raise Refused("log-invalid", "an epoch that is not sealed to exactly the active devices")


# --- receipts (receipts.md, with requests.md and responses.md for what is inside)


@dataclass(frozen=True)
class Verified:
    request: Statement
    question: dict[str, Any]
    response: Statement
    decision: dict[str, Any]
    device: Device
    account: Log
    enquirer: Log
    checkpoint: Statement


def verify_receipt(receipt: Any) -> Verified:
    if not RECEIPT(receipt):
        raise Refused("receipt-invalid", "not a receipt of this version")
    disclosed = receipt.get("disclosed", {})
    enquirer = replay_log(receipt["enquirer_log"])
    account = replay_log(receipt["account_log"])
    request = parse_statement(receipt["request"], "request")
    verify_request(request, enquirer)
    question = read_question(request, disclosed.get("request"))
    check_lifetime(request, question["kind"])
    response = parse_statement(receipt["response"], "response")
    device = verify_response(response, request, account)
    decision = read_decision(response, request, disclosed.get("response"))
    check_right(device, "pay" if question["kind"] == "payment" else "answer")
    check_decision(decision, question)
    checkpoint = parse_statement(receipt["checkpoint"]["statement"], "checkpoint")
    verify_statement(checkpoint, receipt["checkpoint"]["key"])
    check_checkpoint(checkpoint, account, request, response, question["kind"])
    return Verified(request, question, response, decision, device, account, enquirer, checkpoint)


def verify_request(request: Statement, enquirer: Log) -> None:
    payload = request.payload
    if payload["iss"] != enquirer.name or payload["iss_id"] != enquirer.identity:
        raise Refused("account-mismatch", "the request is by another enquirer than it says")
    device = enquirer.active(request.kid)
    check_right(device, "ask")
    verify_statement(request, device.key)
    if not 0 < payload["exp"] - payload["iat"] <= LONGEST_LIFETIME:
        raise Refused("request-lifetime", "a request must end within a day of its time")


def read_question(request: Statement, plaintext: str | None) -> dict[str, Any]:
    if "content" in request.payload:
        if plaintext is not None:
            raise Refused("receipt-invalid", "a plaintext where nothing was sealed")
        return request.payload["content"]
    return open_disclosed(request.payload["sealed"], plaintext, QUESTION)


def check_lifetime(request: Statement, kind: str) -> None:
    if request.payload["exp"] - request.payload["iat"] > LIFETIME[kind]:
        raise Refused("request-lifetime", f"a {kind} may stand for {LIFETIME[kind]} s at most")


def open_disclosed(sealed: dict[str, Any], plaintext: str | None, form: Form) -> dict[str, Any]:
    if plaintext is None:
        raise Refused("receipt-invalid", "a sealed statement without its plaintext")
    digest = decode_base64url(sealed["digest"])
    if not hmac.compare_digest(sha256(plaintext.encode()), digest):
        raise Refused("digest-mismatch", "the content is not the one that was signed")
    content = parse_json(plaintext)
    if not form(content):
        raise Refused("statement-malformed", "a content of the wrong form")
    return content


def verify_response(response: Statement, request: Statement, account: Log) -> Device:
    payload, asked = response.payload, request.payload
    if payload["req"] != request.hash:
        raise Refused("request-mismatch", "the answer is to another request")
    answering = (payload["iss"], payload["iss_id"])
    if not answering == (asked["sub"], asked["sub_id"]) == (account.name, account.identity):
        raise Refused("account-mismatch", "the answer is by another account than was asked")
    device = account.active(response.kid)
    verify_statement(response, device.key)
    head = payload["head"]
    if head["seq"] >= len(account.hashes):
        raise Refused("log-rollback", "the device knew a longer log than the receipt holds")
    if account.hashes[int(head["seq"])] != head["hash"]:
        raise Refused("log-fork", "the device knew another log than the receipt holds")
    if device.added > head["seq"]:
        raise Refused("log-invalid", "the device answered before it was let in")
    if payload["iat"] < asked["iat"] - CLOCK_SKEW:
        raise Refused("response-early", "the answer is older than the request")
    if payload["iat"] >= asked["exp"]:
        raise Refused("response-late", "the answer was made after the request had expired")
    return device


def read_decision(response: Statement, request: Statement, plaintext: str | None) -> dict[str, Any]:
    if ("sealed" in response.payload) != ("sealed" in request.payload):
        raise Refused("seal-broken", "the answer must be sealed exactly where the request was")
    if "content" in response.payload:
        return response.payload["content"]
    return open_disclosed(response.payload["sealed"], plaintext, DECISION)


def check_decision(decision: dict[str, Any], question: dict[str, Any]) -> None:
    if decision["decision"] != "accept":
        return
    if "uv" in question and "uv" not in decision:
        raise Refused("verification-missing", "the device did not check that the person was there")
    if "passcode" not in question:
        return
    if "passcode" not in decision:
        raise Refused("passcode-missing", "the answer lacks the passcode that was asked for")
    if not passcode_matches(question["passcode"], decision["passcode"]):
        raise Refused("passcode-wrong", "the answer carries a wrong passcode")


def passcode_matches(commitment: dict[str, Any], passcode: str) -> bool:
    derived = Argon2id(
        salt=decode_base64url(commitment["salt"]),
        length=32,
        iterations=int(commitment["t"]),
        lanes=int(commitment["p"]),
        memory_cost=int(commitment["m"]),
    ).derive(passcode.encode())
    return hmac.compare_digest(derived, decode_base64url(commitment["hash"]))


def check_checkpoint(
    checkpoint: Statement, account: Log, request: Statement, response: Statement, kind: str
) -> None:
    payload = checkpoint.payload
    head = {"seq": len(account.hashes) - 1, "hash": account.hashes[-1]}
    about = (payload["sub"], payload["sub_id"], payload["head"])
    if about != (account.name, account.identity, head):
        raise Refused("receipt-invalid", "the checkpoint is for another log than the receipt holds")
    if payload["iss"] != request.payload["aud"]:
        raise Refused("receipt-invalid", "the checkpoint is by another broker than the request names")
    if payload["iat"] < response.payload["iat"] - CHECKPOINT_AGE[kind] - CLOCK_SKEW:
        raise Refused("checkpoint-stale", "the checkpoint is too old for the answer")


# --- the command


def main() -> int:
    parser = argparse.ArgumentParser(description="Verifies a Countersign receipt offline.")
    parser.add_argument("receipt", help="a JSON file")
    parser.add_argument("--account", type=typed_fingerprint, help="that the account must have")
    parser.add_argument("--enquirer", type=typed_fingerprint, help="that the enquirer must have")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.error = lambda message: parser.exit(USAGE, f"{message}\n")  # type: ignore[method-assign]
    arguments = parser.parse_args()
    try:
        with open(arguments.receipt, "rb") as file:
            source = file.read()
    except OSError as error:
        parser.error(str(error))
    try:
        verified = verify_receipt(parse_json(source))
        check_expected("account", verified.account, arguments.account)
        check_expected("enquirer", verified.enquirer, arguments.enquirer)
    except Refused as refused:
        print(f"not good: {refused}", file=sys.stderr)
        return NOT_GOOD
    found = describe(verified)
    if arguments.json:
        print(json.dumps(found))
    else:
        show(found, verified.question, bool(arguments.account and arguments.enquirer))
    return OUTCOMES[found["decision"]]


def typed_fingerprint(typed: str) -> str:
    letters = re.sub(r"[\s-]", "", re.sub(r"/$", "", typed.strip())).upper()
    if not re.fullmatch(r"[A-Z2-7]{20,88}", letters):
        raise argparse.ArgumentTypeError("not a fingerprint of at least 20 letters")
    return letters


def check_expected(role: str, log: Log, expected: str | None) -> None:
    actual = statement_id(log.identity)
    if expected is not None and not actual.replace("-", "").startswith(expected):
        raise Refused("account-mismatch", f"the {role} of this receipt is {actual}")


def describe(verified: Verified) -> dict[str, Any]:
    def party(log: Log) -> dict[str, str]:
        return {"name": log.name, "fingerprint": statement_id(log.identity)}

    return {
        "account": party(verified.account),
        "enquirer": party(verified.enquirer),
        "decision": verified.decision["decision"],
        "device": verified.device.kid,
        "asked_at": verified.request.payload["iat"],
        "answered_at": verified.response.payload["iat"],
        "checkpoint_at": verified.checkpoint.payload["iat"],
    }


def show(found: dict[str, Any], question: dict[str, Any], compared: bool) -> None:
    account, enquirer = found["account"], found["enquirer"]
    print(f"{account['name']} answered: {found['decision']}, at {time(found['answered_at'])}")
    for part in question["parts"]:
        print(f"  {part['type']} {json.dumps(part['text'])}")
    for one in question.get("fields", []):
        print(f"  {json.dumps(one['name'])}: {json.dumps(one['value'])}")
    print(f"asked by {enquirer['name']} at {time(found['asked_at'])}, a {question['kind']}")
    print(f"  account   {account['fingerprint']}")
    print(f"  enquirer  {enquirer['fingerprint']}")
    print(f"  device    {found['device']}")
    print(f"the broker vouches for the account's log as of {time(found['checkpoint_at'])}")
    if not compared:
        print("whose these are rests on the two fingerprints: compare them with what you know")


def time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


if __name__ == "__main__":
    sys.exit(main())
