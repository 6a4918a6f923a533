"""Seats of an organisation's members, as spec/members.md says: who may ask by one, and in which words.

It was written from the pages of spec/ and shares no code with Countersign.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from replay_log import Device, Log, check_right
from statements import (
    HASH,
    HEAD,
    NAME,
    SEALING_KEY,
    SECONDS,
    SIGNING_KEY,
    Form,
    Refused,
    Statement,
    key_fingerprint,
    members,
    one_of,
    parse_statement,
    verify_statement,
    whole,
)

CLOCK_SKEW = 60
SEAT_LIFE = 28_800
LONGEST_TWO_WAY = 900
MAX_REASON_BYTES = 1024
ROLES = ("owner", "agent", "auditor")
MAY_ASK = ("owner", "agent")

SEAT_WANTED = members({"key": SIGNING_KEY, "role": one_of(*ROLES)})
ASKING_MEMBER = members({"seat": HASH, "key": SEALING_KEY})
MEMBER: dict[str, Form] = {
    "member": members(
        {
            "sub": NAME,
            "sub_id": HASH,
            "seq": whole(1),
            "iat": SECONDS,
            "head": HEAD,
            "member": NAME,
            "member_id": HASH,
            "role": one_of(*ROLES, "none"),
        },
        {"prev": HASH},
    ),
}


@dataclass(frozen=True)
class Seat:
    hash: str
    key: dict[str, str]
    member: str
    member_id: str
    role: str
    begins: float

    @property
    def ends(self) -> float:
        return self.begins + SEAT_LIFE


# --- the list of members (members.md, "Member")


def roles_at(changes: list[str], organisation: Log, until: float) -> dict[str, str]:
    """The roles by identity, after all changes that are not later than a time, as far as they stand."""
    roles: dict[str, str] = {}
    givers: dict[str, Device] = {}
    before: Statement | None = None
    for compact in changes:
        change = parse_statement(compact, MEMBER)
        payload = change.payload
        if payload["iat"] > until:
            break
        if (payload["sub"], payload["sub_id"]) != (organisation.name, organisation.identity):
            raise Refused("account-mismatch", "a change of another organisation's members")
        device = device_at(organisation, change.kid, payload["head"])
        check_right(device, "admit", device.rights_at(int(payload["head"]["seq"])))
        verify_statement(change, device.key)
        check_follows(before, payload)
        if payload["role"] == "none":
            roles.pop(payload["member_id"], None)
        else:
            roles[payload["member_id"]] = payload["role"]
            givers[payload["member_id"]] = device
        if "owner" not in roles.values():
            raise Refused("last-owner", "nobody is an owner any more")
        before = change
    return {who: role for who, role in roles.items() if words_stand(organisation, givers[who])}


def check_follows(before: Statement | None, payload: dict[str, Any]) -> None:
    if before is None:
        follows = payload["seq"] == 1 and "prev" not in payload
    else:
        was = before.payload
        follows = (
            payload["seq"] == was["seq"] + 1
            and payload.get("prev") == before.hash
            and payload["head"]["seq"] >= was["head"]["seq"]
            and payload["iat"] >= was["iat"]
        )
    if not follows:
        raise Refused("member-conflict", "a change that does not follow the one before")


def device_at(log: Log, kid: str, head: dict[str, Any]) -> Device:
    """The device that counted when a head was the newest."""
    seq = int(head["seq"])
    if seq >= len(log.hashes):
        raise Refused("log-rollback", "the device knew a longer log than there is")
    if log.hashes[seq] != head["hash"]:
        raise Refused("log-fork", "the device knew another log")
    device = log.devices.get(kid)
    if device is None or device.added > seq or device.probation:
        raise Refused("device-unknown", f"{log.name} had no device {kid} then")
    if device.revoked is not None and device.revoked <= seq:
        raise Refused("device-revoked", f"the device {kid} had been revoked then")
    if device.frozen_at(seq):
        raise Refused("device-frozen", f"the device {kid} was frozen then")
    return device


def check_words_stand(log: Log, device: Device) -> None:
    """device-log.md, "Words that stand"."""
    keys = [device]
    while keys[-1].successor is not None:
        keys.append(log.device(keys[-1].successor))
    if any(key.reason in ("lost", "undone") for key in keys):
        raise Refused("device-revoked", f"the device {device.kid} was lost since")
    if any(key.frozen for key in keys):
        raise Refused("device-frozen", f"the device {device.kid} is frozen")


def words_stand(log: Log, device: Device) -> bool:
    try:
        check_words_stand(log, device)
    except Refused:
        return False
    return True


# --- words (members.md, "Sign-in" and "Asking")


def check_sign_in(question: dict[str, Any], organisation: str, wanted: dict[str, Any]) -> None:
    kid = key_fingerprint(wanted["key"])
    english = (
        [
            f"Sign in to the console of {organisation}?",
            "A browser shows six digits and asks to act for the organisation for eight hours."
            " Accept only if it is in front of you.",
        ],
        [("Role", wanted["role"]), ("Key of the browser", kid)],
    )
    role = {"owner": "Inhaber", "agent": "Mitarbeiter", "auditor": "Prüfer"}[wanted["role"]]
    german = (
        [
            f"Anmelden an der Konsole von {organisation}?",
            "Ein Browser zeigt sechs Ziffern und will acht Stunden lang für die Organisation"
            " handeln. Annehmen nur, wenn er vor Ihnen steht.",
        ],
        [("Rolle", role), ("Schlüssel des Browsers", kid)],
    )
    fixed = said(question) in (english, german) and heads(question)
    if not fixed or question["kind"] != "login" or "passcode" not in question:
        raise Refused("seat-invalid", "a browser that signs in asks in fixed words")


def check_call(question: dict[str, Any], organisation: str, agent: str) -> None:
    fields = question.get("fields", [])
    reason = fields[2]["value"] if len(fields) > 2 else ""
    english = {
        "who called you?": "the organisation called",
        "whom you called?": "the customer called",
    }
    german = {
        "die Sie angerufen hat?": "die Organisation hat angerufen",
        "die Sie angerufen haben?": "der Kunde hat angerufen",
    }
    fixed = [
        (
            [
                f"Are you on a call with {organisation}, {end}",
                "Accept only if the person you speak to gave this name and this reason."
                " If nobody is on the line, reject.",
            ],
            [
                ("Organisation", organisation),
                ("Agent’s name", agent),
                ("Reason of the call", reason),
                ("Direction of the call", direction),
            ],
        )
        for end, direction in english.items()
    ] + [
        (
            [
                f"Sprechen Sie gerade mit {organisation}, {end}",
                "Nehmen Sie nur an, wenn die Person am Telefon diesen Namen und diesen Grund"
                " genannt hat. Ist niemand in der Leitung, lehnen Sie ab.",
            ],
            [
                ("Organisation", organisation),
                ("Name des Mitarbeiters", agent),
                ("Grund des Gesprächs", reason),
                ("Richtung des Anrufs", direction),
            ],
        )
        for end, direction in german.items()
    ]
    good = said(question) in fixed and heads(question) and len(reason.encode()) <= MAX_REASON_BYTES
    if not good or question["kind"] != "approval" or "passcode" in question:
        raise Refused("seat-invalid", "a member asks a customer about a call, and nothing else")


def said(question: dict[str, Any]) -> tuple[list[str], list[tuple[str, str]]]:
    parts = [part["text"] for part in question["parts"]]
    return parts, [(one["name"], one["value"]) for one in question.get("fields", [])]


def heads(question: dict[str, Any]) -> bool:
    return [part["type"] for part in question["parts"]] == ["h1", "p"]


# --- who asks (members.md, "Asking")


def check_asking(payload: dict[str, Any], seat: Seat | None, roles: dict[str, str]) -> Seat:
    if seat is None or seat.hash != payload["member"]["seat"]:
        raise Refused("seat-invalid", "asked by another seat than it names")
    if seat.role not in MAY_ASK:
        raise Refused("role-missing", f"the role {seat.role} asks no customer")
    if payload["iat"] < seat.begins - CLOCK_SKEW:
        raise Refused("seat-invalid", "asked before the member had signed in")
    if payload["exp"] > seat.ends or roles.get(seat.member_id) != seat.role:
        raise Refused("seat-over", "the member might not act any more")
    if payload["exp"] - payload["iat"] > LONGEST_TWO_WAY:
        raise Refused("request-lifetime", f"it stands for more than {LONGEST_TWO_WAY} s")
    return seat
