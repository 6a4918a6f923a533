#!/usr/bin/env python3
"""Verifies a Countersign receipt offline, as spec/receipts.md says.

    python verify_receipt.py receipt.json [--account FINGERPRINT] [--enquirer FINGERPRINT] [--json]

It was written from the pages of spec/ and shares no code with Countersign: signatures are verified by
joserfc, a public JOSE library, and the passcode's commitment by Argon2id of cryptography. Device logs are
replayed by replay_log.py; seats of members are in seats.py.

It does not check the rules of display text (spec/requests.md, "Display text"): the device that answered did.
So it prints every text as an ASCII JSON string, in which nothing can hide.

Exit status: 0 accepted, 1 rejected or reported as fraud, 5 ended by wrong passcodes, 8 not good (with the
error code on standard error), 64 the command was not understood.
"""

from __future__ import annotations

import argparse
import hmac
import json
import re
import sys
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from replay_log import CHECKPOINT, Device, Log, check_right, replay_log
from seats import (
    ASKING_MEMBER,
    SEAT_WANTED,
    Seat,
    check_asking,
    check_call,
    check_sign_in,
    check_words_stand,
    roles_at,
)
from statements import (
    BYTES_16,
    BYTES_32,
    HASH,
    HEAD,
    JWS,
    NAME,
    ORIGIN,
    SEALED_BYTES,
    SECONDS,
    SIGNING_KEY,
    Form,
    Refused,
    Statement,
    any_of,
    array,
    both,
    decode_base64url,
    line,
    members,
    one_of,
    parse_json,
    parse_statement,
    sha256,
    statement_id,
    text,
    verify_statement,
    whole,
)

CLOCK_SKEW = 60
LONGEST_LIFETIME = 86_400
LIFETIME = {"login": 600, "payment": 600, "approval": 86_400}
CHECKPOINT_AGE = {"login": 3600, "payment": 3600, "approval": 86_400}
OUTCOMES = {"accept": 0, "reject": 1, "fraud": 1, "passcode-failed": 5}
NOT_GOOD = 8
USAGE = 64

# --- forms: each is a function that says whether a value has it

SEALED = members({"epoch": whole(0), "digest": HASH, "box": SEALED_BYTES})
SEALED_TO_KEY = members({"digest": HASH, "box": SEALED_BYTES})

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
    "aud": ORIGIN,
    "iat": SECONDS,
    "exp": SECONDS,
}
RESPONSE_CLEAR = {"req": HASH, "iss": NAME, "iss_id": HASH, "iat": SECONDS, "head": HEAD}

REQUEST: dict[str, Form] = {
    "request": any_of(
        members({**REQUEST_CLEAR, "content": QUESTION}, {"seat": SEAT_WANTED}),
        members({**REQUEST_CLEAR, "sealed": SEALED}, {"member": ASKING_MEMBER}),
    ),
}
RESPONSE: dict[str, Form] = {
    "response": any_of(
        members({**RESPONSE_CLEAR, "content": DECISION}),
        members({**RESPONSE_CLEAR, "sealed": any_of(SEALED, SEALED_TO_KEY)}),
    ),
}
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
        ),
        "seat": members({"request": JWS, "response": JWS, "member_log": LOG, "members": LOG}),
    },
)


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
    seat: Seat | None


def verify_receipt(receipt: Any) -> Verified:
    if not RECEIPT(receipt):
        raise Refused("receipt-invalid", "not a receipt of this version")
    disclosed = receipt.get("disclosed", {})
    enquirer = replay_log(receipt["enquirer_log"])
    account = replay_log(receipt["account_log"])
    request = parse_statement(receipt["request"], REQUEST)
    seat, roles = read_seat(receipt.get("seat"), request, enquirer)
    verify_request(request, enquirer, seat, roles)
    question = read_question(request, disclosed.get("request"))
    check_lifetime(request, question["kind"])
    if seat is not None:
        check_call(question, enquirer.name, seat.member)
    response = parse_statement(receipt["response"], RESPONSE)
    device, decision = judge_response(
        response, request, question, account, disclosed.get("response")
    )
    checkpoint = parse_statement(receipt["checkpoint"]["statement"], CHECKPOINT)
    verify_statement(checkpoint, receipt["checkpoint"]["key"])
    check_checkpoint(checkpoint, account, request, response, question["kind"])
    return Verified(request, question, response, decision, device, account, enquirer, checkpoint, seat)


def judge_response(
    response: Statement,
    request: Statement,
    question: dict[str, Any],
    account: Log,
    plaintext: str | None,
) -> tuple[Device, dict[str, Any]]:
    device = verify_response(response, request, account)
    decision = read_decision(response, request, plaintext)
    right = "pay" if question["kind"] == "payment" else "answer"
    check_right(device, right)
    check_right(device, right, device.rights_at(int(response.payload["head"]["seq"])))
    check_decision(decision, question)
    return device, decision


def read_seat(
    proof: dict[str, Any] | None, request: Statement, enquirer: Log
) -> tuple[Seat | None, dict[str, str]]:
    """The seat by which a member asked, and the members' roles at that time."""
    if ("member" in request.payload) != (proof is not None):
        raise Refused("receipt-invalid", "the proof of a seat stands where a member asked")
    if proof is None:
        return None, {}
    seat = verify_seat(proof, enquirer)
    return seat, roles_at(proof["members"], enquirer, request.payload["iat"])


def verify_seat(proof: dict[str, Any], organisation: Log) -> Seat:
    """members.md, "Seat"."""
    member = replay_log(proof["member_log"])
    request = parse_statement(proof["request"], REQUEST)
    payload = request.payload
    if "seat" not in payload:
        raise Refused("seat-invalid", "a question that asks for no seat")
    verify_request(request, organisation)
    check_lifetime(request, payload["content"]["kind"])
    response = parse_statement(proof["response"], RESPONSE)
    then = replay_log(proof["member_log"][: int(response.payload["head"]["seq"]) + 1])
    device, decision = judge_response(response, request, payload["content"], then, None)
    now = member.device(device.kid)
    check_words_stand(member, now)
    begins = response.payload["iat"]
    if now.revoked_time is not None and begins > now.revoked_time + CLOCK_SKEW:
        raise Refused("device-revoked", f"the device {now.kid} had been shown out before")
    if decision["decision"] != "accept":
        raise Refused("seat-invalid", "the member did not accept")
    wanted = payload["seat"]
    return Seat(request.hash, wanted["key"], member.name, member.identity, wanted["role"], begins)


def verify_request(
    request: Statement, enquirer: Log, seat: Seat | None = None, roles: dict[str, str] | None = None
) -> None:
    payload = request.payload
    if payload["iss"] != enquirer.name or payload["iss_id"] != enquirer.identity:
        raise Refused("account-mismatch", "the request is by another enquirer than it says")
    verify_statement(request, asking_key(request, enquirer, seat, roles or {}))
    if not 0 < payload["exp"] - payload["iat"] <= LONGEST_LIFETIME:
        raise Refused("request-lifetime", "a request must end within a day of its time")


def asking_key(
    request: Statement, enquirer: Log, seat: Seat | None, roles: dict[str, str]
) -> dict[str, str]:
    payload = request.payload
    if "member" in payload:
        return check_asking(payload, seat, roles).key
    if "seat" in payload:
        check_sign_in(payload["content"], payload["iss"], payload["seat"])
        return payload["seat"]["key"]
    device = enquirer.active(request.kid)
    check_right(device, "ask")
    return device.key


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
    if device.frozen_at(int(head["seq"])):
        raise Refused("device-frozen", "the device was frozen when it answered")
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
    if ("epoch" in response.payload["sealed"]) == ("member" in request.payload):
        raise Refused("seal-broken", "the answer is sealed to another key than the request wants")
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

    seat = verified.seat
    member = {} if seat is None else {"member": describe_seat(seat)}
    return {
        **member,
        "account": party(verified.account),
        "enquirer": party(verified.enquirer),
        "decision": verified.decision["decision"],
        "device": verified.device.kid,
        "asked_at": verified.request.payload["iat"],
        "answered_at": verified.response.payload["iat"],
        "checkpoint_at": verified.checkpoint.payload["iat"],
    }


def describe_seat(seat: Seat) -> dict[str, str]:
    return {"name": seat.member, "fingerprint": statement_id(seat.member_id), "role": seat.role}


def show(found: dict[str, Any], question: dict[str, Any], compared: bool) -> None:
    account, enquirer = found["account"], found["enquirer"]
    print(f"{account['name']} answered: {found['decision']}, at {time(found['answered_at'])}")
    for part in question["parts"]:
        print(f"  {part['type']} {json.dumps(part['text'])}")
    for one in question.get("fields", []):
        print(f"  {json.dumps(one['name'])}: {json.dumps(one['value'])}")
    print(f"asked by {enquirer['name']} at {time(found['asked_at'])}, a {question['kind']}")
    if "member" in found:
        member = found["member"]
        print(f"by its member {member['name']}, {member['role']}, {member['fingerprint']}")
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
