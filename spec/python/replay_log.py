#!/usr/bin/env python3
"""Replays a Countersign device log, as spec/device-log.md says, and prints what is so after it.

    python replay_log.py log.json            a JSON list of entries
    python replay_log.py --each logs.json    a JSON list of such logs: one line of JSON for each

In the place of a list of entries may stand what a reader that pinned a log is offered: an object of "pinned" and
"offered", lists of entries, and "from", the number of the first entry that is offered.

It was written from the pages of spec/ and shares no code with Countersign.

It does not check the rules of display text (spec/requests.md, "Display text"), but for the length: the names of
devices are printed as ASCII JSON strings, in which nothing can hide.

Exit status: 0 good, 8 not good (with the error code on standard error), 64 the command was not understood. With
--each it is 0, and a line for a log that is not good is {"code": "…"}.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass, field
from typing import Any, Callable

from statements import (
    BYTES_32,
    HASH,
    HEAD,
    KID,
    NAME,
    ORIGIN,
    SEALED_BYTES,
    SEALING_KEY,
    SECONDS,
    SIGNING_KEY,
    Form,
    Refused,
    Statement,
    any_of,
    array,
    both,
    key_fingerprint,
    line,
    mapping,
    members,
    one_of,
    parse_json,
    parse_statement,
    statement_id,
    text,
    verify_statement,
    whole,
)

MAX_DEVICES = 20
EVERY_RIGHT = ("ask", "answer", "pay", "admit", "recover")
NOT_GOOD = 8
USAGE = 64

# --- forms (device-log.md, the tables of members)

RIGHTS = both(array(one_of(*EVERY_RIGHT), 1), lambda rights: len(set(rights)) == len(rights))
EPOCH = members({"n": whole(0), "key": SEALING_KEY, "sealed": mapping(KID, SEALED_BYTES)})
PROVISION = members({"key": SIGNING_KEY, "undo": whole(3600, 2_592_000), "broker": SIGNING_KEY})
INNER = text(r".*", 4096)
POSITION = {"sub": NAME, "iat": SECONDS, "seq": whole(1), "prev": HASH}
PROOF = {"proof": INNER}

GENESIS: dict[str, Form] = {
    "genesis": members(
        {
            "sub": NAME,
            "iat": SECONDS,
            "seq": whole(0, 0),
            "device": members(
                {"sig": SIGNING_KEY, "enc": SEALING_KEY, "name": line(64), "rights": RIGHTS}
            ),
            "epoch": EPOCH,
        },
        {"recovery": PROVISION},
    ),
}
ENTRIES: dict[str, Form] = {
    **GENESIS,
    "device-add": members({**POSITION, "device": INNER, "rights": RIGHTS, "sealed": SEALED_BYTES}),
    "device-revoke": members(
        {**POSITION, "kid": KID, "reason": one_of("retired", "lost", "undone")}, PROOF
    ),
    "device-freeze": members({**POSITION, "kid": KID}),
    "device-thaw": members({**POSITION, "kid": KID}, PROOF),
    "device-rights": members({**POSITION, "kid": KID, "rights": RIGHTS}, PROOF),
    "device-rotate": members({**POSITION, "device": INNER, "sealed": SEALED_BYTES}),
    "epoch": members({**POSITION, "epoch": EPOCH}),
    "recovery": members({**POSITION, "device": INNER, "rights": RIGHTS}),
    "recovery-complete": members({**POSITION, "from": INNER, "to": INNER}),
    "recovery-set": members({**POSITION, "recovery": PROVISION}),
}
DEVICE: dict[str, Form] = {
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
}
CHECKPOINT: dict[str, Form] = {
    "checkpoint": members(
        {"iss": ORIGIN, "sub": NAME, "sub_id": HASH, "iat": SECONDS, "head": HEAD}
    ),
}
RECOVERY_PROOF: dict[str, Form] = {
    "recovery-proof": members({"sub_id": HASH, "seq": whole(1), "prev": BYTES_32, "kid": KID}),
}


# --- devices and their states (device-log.md, "States")


@dataclass
class Device:
    kid: str
    key: dict[str, str]
    name: str
    rights: list[str]
    added: int
    probation: bool = False
    revoked: int | None = None
    #: By the clock of whoever signed that entry.
    revoked_time: float | None = None
    reason: str | None = None
    #: The key that took this one's place.
    successor: str | None = None
    #: [frozen at, thawed at or None], the oldest first.
    freezes: list[list[int | None]] = field(default_factory=list)
    #: (rights, the entry that ended them), the oldest first.
    former: list[tuple[list[str], int]] = field(default_factory=list)

    @property
    def present(self) -> bool:
        return self.revoked is None

    @property
    def frozen(self) -> bool:
        return bool(self.freezes) and self.freezes[-1][1] is None

    @property
    def state(self) -> str:
        if not self.present:
            return "revoked"
        if self.frozen:
            return "frozen"
        return "on probation" if self.probation else "active"

    @property
    def counts(self) -> bool:
        return self.state == "active"

    def rights_at(self, seq: int) -> list[str]:
        return next((rights for rights, until in self.former if until > seq), self.rights)

    def frozen_at(self, seq: int) -> bool:
        return any(start <= seq and (end is None or end > seq) for start, end in self.freezes)


REFUSED_AS = {
    "revoked": "device-revoked",
    "frozen": "device-frozen",
    "on probation": "device-on-probation",
}


@dataclass
class Log:
    name: str
    identity: str
    hashes: list[str]
    devices: dict[str, Device]
    epoch: int
    sealed_to: set[str]
    provision: dict[str, Any] | None

    @property
    def next_seq(self) -> int:
        return len(self.hashes)

    def device(self, kid: str) -> Device:
        if kid not in self.devices:
            raise Refused("device-unknown", f"{self.name} has no device {kid}")
        return self.devices[kid]

    def present(self, kid: str) -> Device:
        device = self.device(kid)
        if not device.present:
            raise Refused("device-revoked", f"the device {kid} of {self.name} was revoked")
        return device

    def active(self, kid: str) -> Device:
        device = self.device(kid)
        if not device.counts:
            raise Refused(REFUSED_AS[device.state], f"the device {kid} is {device.state}")
        return device

    def counting(self) -> list[Device]:
        return [device for device in self.devices.values() if device.counts]

    def undecided(self) -> bool:
        return any(device.present and device.probation for device in self.devices.values())

    def recovery_kid(self) -> str | None:
        return None if self.provision is None else key_fingerprint(self.provision["key"])


def check_right(device: Device, right: str, rights: list[str] | None = None) -> None:
    if right not in (device.rights if rights is None else rights):
        raise Refused("device-not-entitled", f"the device {device.kid} has not the right {right!r}")


# --- replay


def replay_log(entries: list[str]) -> Log:
    if not entries:
        raise Refused("log-invalid", "a log without entries")
    genesis = parse_statement(entries[0], GENESIS)
    payload = genesis.payload
    device, provision = payload["device"], payload.get("recovery")
    verify_statement(genesis, device["sig"])
    if "admit" not in device["rights"]:
        raise Refused("log-invalid", "the first device must have the right to admit others")
    if payload["epoch"]["n"] != 0:
        raise Refused("log-invalid", "the first epoch must be number 0")
    founder = Device(genesis.kid, device["sig"], device["name"], device["rights"], 0)
    log = Log(
        payload["sub"], genesis.hash, [genesis.hash], {founder.kid: founder}, 0, set(), provision
    )
    seal_epoch(log, payload["epoch"])
    if log.recovery_kid() == founder.kid:
        raise Refused("log-invalid", "the first device's key as the recovery key")
    for entry in entries[1:]:
        apply_entry(log, parse_statement(entry, ENTRIES))
    return log


def follow_log(pinned: list[str], offered: list[str], start: int) -> Log:
    """What a reader makes of entries that it is offered (device-log.md, "Pinning")."""
    log = replay_log(pinned)
    known = log.hashes[start:]
    for number, expected in enumerate(known, start):
        if number - start >= len(offered):
            raise Refused("log-rollback", "the log is shorter than the one that was pinned")
        if parse_statement(offered[number - start], ENTRIES).hash != expected:
            code = "account-changed" if number == 0 else "log-fork"
            raise Refused(code, f"entry {number} is another than the one that was pinned")
    for entry in offered[len(known) :]:
        apply_entry(log, parse_statement(entry, ENTRIES))
    return log


def apply_entry(log: Log, entry: Statement) -> None:
    """Changes the log; after a refusal it is worth nothing."""
    payload = entry.payload
    if entry.kind == "genesis":
        raise Refused("log-invalid", "a second first entry")
    if payload["sub"] != log.name:
        raise Refused("log-invalid", "an entry of another account")
    if payload["seq"] != log.next_seq:
        raise Refused("log-invalid", f"entry {payload['seq']} after entry {log.next_seq - 1}")
    if payload["prev"] != log.hashes[-1]:
        raise Refused("log-invalid", "an entry that follows another than the one before it")
    author = verify_author(log, entry)
    RULES[entry.kind](log, author, payload)
    log.hashes.append(entry.hash)


#: Who signed an entry: a device that is present, or None for the recovery key.
Author = Device | None


def verify_author(log: Log, entry: Statement) -> Author:
    if entry.kid not in log.devices and entry.kid == log.recovery_kid():
        verify_statement(entry, log.provision["key"])
        return None
    device = log.present(entry.kid)
    verify_statement(entry, device.key)
    return device


def counting(log: Log, author: Author) -> Device:
    if author is None:
        raise Refused("device-not-entitled", "the printed code alone may not do this")
    return log.active(author.kid)


def entitled(log: Log, author: Author, right: str) -> Device:
    device = counting(log, author)
    check_right(device, right)
    return device


def good_word(log: Log, compact: str) -> Statement:
    word = parse_statement(compact, DEVICE)
    verify_statement(word, word.payload["sig"])
    if word.payload["sub"] != log.name or word.payload["sub_id"] != log.identity:
        raise Refused("account-mismatch", "the device asked to belong to another account")
    return word


def check_new(log: Log, kid: str) -> None:
    if kid in log.devices:
        raise Refused("log-invalid", "a key that was in the account before")
    if kid == log.recovery_kid():
        raise Refused("log-invalid", "the recovery key as a device's key")


def take_in(log: Log, payload: dict[str, Any], probation: bool) -> Device:
    if sum(device.present for device in log.devices.values()) >= MAX_DEVICES:
        raise Refused("log-invalid", f"more than {MAX_DEVICES} devices")
    word = good_word(log, payload["device"])
    check_new(log, word.kid)
    key, name = word.payload["sig"], word.payload["name"]
    device = Device(word.kid, key, name, payload["rights"], log.next_seq, probation)
    log.devices[device.kid] = device
    return device


def device_add(log: Log, author: Author, payload: dict[str, Any]) -> None:
    signer = entitled(log, author, "admit")
    for right in payload["rights"]:
        check_right(signer, right)
    log.sealed_to.add(take_in(log, payload, probation=False).kid)


def device_revoke(log: Log, author: Author, payload: dict[str, Any]) -> None:
    gone = log.devices.get(payload["kid"])
    if gone is not None and gone.reason in ("retired", "rotated") and payload["reason"] == "lost":
        entitled(log, author, "admit")
        gone.reason = "lost"
        return
    device = log.present(payload["kid"])
    if author is not device and not device.probation:
        entitled(log, author, "admit")
    before = holders(log)
    device.revoked, device.reason = log.next_seq, payload["reason"]
    device.revoked_time = payload["iat"]
    check_not_last(log, before, author, payload)


def device_freeze(log: Log, author: Author, payload: dict[str, Any]) -> None:
    device = log.present(payload["kid"])
    if device.frozen:
        raise Refused("log-invalid", "a device that is frozen already")
    if author is not None and author is not device:
        entitled(log, author, "admit")
    had = holders(log)[0]
    device.freezes.append([log.next_seq, None])
    if log.provision is None and had and not holders(log)[0]:
        raise Refused("last-device", "nobody could end this freeze")


def device_thaw(log: Log, author: Author, payload: dict[str, Any]) -> None:
    device = log.present(payload["kid"])
    if not device.frozen:
        raise Refused("log-invalid", "a device that is not frozen")
    if author is device:
        if device.probation:
            raise Refused("device-on-probation", "a device on probation does not thaw itself")
        check_proof(log, device, payload)
    else:
        entitled(log, author, "admit")
    device.freezes[-1][1] = log.next_seq


def device_rights(log: Log, author: Author, payload: dict[str, Any]) -> None:
    signer = entitled(log, author, "admit")
    device = log.present(payload["kid"])
    for right in payload["rights"]:
        if right not in device.rights:
            check_right(signer, right)
    before = holders(log)
    device.former.append((device.rights, log.next_seq))
    device.rights = payload["rights"]
    check_not_last(log, before, author, payload)


def device_rotate(log: Log, author: Author, payload: dict[str, Any]) -> None:
    old = counting(log, author)
    word = good_word(log, payload["device"])
    if word.kid != old.kid:
        check_new(log, word.kid)
    log.sealed_to.discard(old.kid)
    log.sealed_to.add(word.kid)
    key, name = word.payload["sig"], word.payload["name"]
    if word.kid == old.kid:
        old.name = name
        return
    log.devices[word.kid] = Device(word.kid, key, name, old.rights, log.next_seq)
    old.revoked, old.reason, old.successor = log.next_seq, "rotated", word.kid
    old.revoked_time = payload["iat"]


def epoch(log: Log, author: Author, payload: dict[str, Any]) -> None:
    entitled(log, author, "admit")
    if payload["epoch"]["n"] != log.epoch + 1:
        raise Refused("log-invalid", "an epoch of the wrong number")
    seal_epoch(log, payload["epoch"])


def seal_epoch(log: Log, new: dict[str, Any]) -> None:
    kids = {device.kid for device in log.counting()}
    if new["sealed"].keys() != kids:
        raise Refused(
            "log-invalid", "an epoch that is not sealed to exactly the devices that count"
        )
    log.epoch, log.sealed_to = int(new["n"]), kids


def recovery(log: Log, author: Author, payload: dict[str, Any]) -> None:
    if author is not None:
        raise Refused("log-invalid", "a recovery that is not signed by the recovery key")
    check_decided(log)
    take_in(log, payload, probation=True)


def recovery_complete(log: Log, author: Author, payload: dict[str, Any]) -> None:
    if author is None or not author.probation:
        raise Refused("log-invalid", "the end of a probation by a device that is on none")
    if author.frozen:
        raise Refused("device-frozen", "a frozen device")
    times = [checkpoint_time(log, payload[member], author.added) for member in ("from", "to")]
    if times[1] - times[0] < log.provision["undo"]:
        raise Refused("recovery-early", "the recovery can still be undone")
    author.probation, author.added = False, log.next_seq


def checkpoint_time(log: Log, compact: str, not_before: int) -> float:
    statement = parse_statement(compact, CHECKPOINT)
    verify_statement(statement, log.provision["broker"])
    payload, head = statement.payload, statement.payload["head"]
    about = (payload["sub"], payload["sub_id"]) == (log.name, log.identity)
    known = not_before <= head["seq"] < len(log.hashes)
    if not about or not known or log.hashes[int(head["seq"])] != head["hash"]:
        raise Refused("recovery-invalid", "a checkpoint that is not over this recovery")
    return payload["iat"]


def recovery_set(log: Log, author: Author, payload: dict[str, Any]) -> None:
    signer = entitled(log, author, "recover")
    old, new = log.provision, payload["recovery"]
    if old is None or new["broker"] != old["broker"] or new["undo"] < old["undo"]:
        for right in EVERY_RIGHT:
            check_right(signer, right)
    check_decided(log)
    if key_fingerprint(new["key"]) in log.devices:
        raise Refused("log-invalid", "a device's key as the recovery key")
    log.provision = new


def check_decided(log: Log) -> None:
    if log.undecided():
        raise Refused("log-invalid", "a recovery is not decided yet")


# --- the last device, and the proof of the printed code


def holders(log: Log) -> list[bool]:
    """Of each way in which a device can be the last, whether there is one."""
    counting = log.counting()
    here = [device for device in log.devices.values() if device.present and not device.probation]
    return [
        any("admit" in device.rights for device in counting),
        any("recover" in device.rights for device in counting),
        any("admit" in device.rights for device in here),
    ]


def check_not_last(log: Log, before: list[bool], author: Author, payload: dict[str, Any]) -> None:
    if all(has or not had for had, has in zip(before, holders(log))):
        return
    if "proof" not in payload:
        raise Refused("last-device", "no other device has the right")
    check_proof(log, author, payload)


def check_proof(log: Log, author: Author, payload: dict[str, Any]) -> None:
    if "proof" not in payload or log.provision is None:
        raise Refused("recovery-invalid", "this needs the printed recovery code")
    proof = parse_statement(payload["proof"], RECOVERY_PROOF)
    verify_statement(proof, log.provision["key"])
    expected = (
        log.identity,
        payload["seq"],
        payload["prev"],
        None if author is None else author.kid,
    )
    if tuple(proof.payload[name] for name in ("sub_id", "seq", "prev", "kid")) != expected:
        raise Refused("recovery-invalid", "a proof of the recovery code for something else")


RULES: dict[str, Callable[[Log, Author, dict[str, Any]], None]] = {
    "device-add": device_add,
    "device-revoke": device_revoke,
    "device-freeze": device_freeze,
    "device-thaw": device_thaw,
    "device-rights": device_rights,
    "device-rotate": device_rotate,
    "epoch": epoch,
    "recovery": recovery,
    "recovery-complete": recovery_complete,
    "recovery-set": recovery_set,
}


# --- the command

TEXTS = array(lambda v: isinstance(v, str))
OFFER = members({"pinned": TEXTS, "offered": TEXTS, "from": whole(0, 10_000)})
GIVEN = any_of(TEXTS, OFFER)


def read(given: Any) -> Log:
    if isinstance(given, list):
        return replay_log(given)
    return follow_log(given["pinned"], given["offered"], int(given["from"]))


def describe(log: Log) -> dict[str, Any]:
    """As device-log.md, "What a replay finds"."""
    found: dict[str, Any] = {
        "name": log.name,
        "identity": log.identity,
        "fingerprint": statement_id(log.identity),
        "head": {"seq": log.next_seq - 1, "hash": log.hashes[-1]},
        "devices": [describe_device(device) for device in log.devices.values()],
        "epoch": log.epoch,
        "sealed_to": sorted(log.sealed_to),
    }
    if log.provision is not None:
        found["recovery"] = {
            "key": key_fingerprint(log.provision["key"]),
            "undo": int(log.provision["undo"]),
            "broker": key_fingerprint(log.provision["broker"]),
        }
    return found


def describe_device(device: Device) -> dict[str, Any]:
    found: dict[str, Any] = {
        "kid": device.kid,
        "name": device.name,
        "rights": device.rights,
        "state": device.state,
        "added_seq": device.added,
    }
    if device.frozen:
        found["frozen_seq"] = device.freezes[-1][0]
    if device.probation:
        found["probation"] = True
    if device.revoked is not None:
        found["revoked_seq"], found["reason"] = device.revoked, device.reason
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description="Replays a Countersign device log.")
    parser.add_argument("log", help="a JSON file")
    parser.add_argument("--each", action="store_true", help="the file holds a list of logs")
    parser.error = lambda message: parser.exit(USAGE, f"{message}\n")  # type: ignore[method-assign]
    arguments = parser.parse_args()
    try:
        with open(arguments.log, "rb") as file:
            source = file.read()
    except OSError as error:
        parser.error(str(error))
    form = array(GIVEN, 0, 1_000_000) if arguments.each else GIVEN
    try:
        given = parse_json(source)
        if not form(given):
            raise Refused("statement-malformed", "not a log")
        if not arguments.each:
            print(json.dumps(describe(read(given))))
    except Refused as refused:
        print(f"not good: {refused}", file=sys.stderr)
        return NOT_GOOD
    for one in given if arguments.each else []:
        try:
            print(json.dumps(describe(read(one))))
        except Refused as refused:
            print(json.dumps({"code": refused.code}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
