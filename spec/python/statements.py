"""Signed statements, as spec/statements.md says: what every reader of Countersign begins with.

Written from the pages of spec/; it shares no code with Countersign. Signatures are verified by joserfc, a public
JOSE library.

It does not check the rules of display text (spec/requests.md, "Display text"), but for the length.
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import json
import re
import warnings
from dataclasses import dataclass
from typing import Any, Callable, Mapping

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey

# joserfc prefers RFC 9864's name "Ed25519"; statements carry RFC 8037's "EdDSA".
warnings.filterwarnings("ignore", module=r"joserfc(\..*)?")

MAX_STATEMENT = 65_536
MAX_DEPTH = 16
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


ORIGIN: Form = is_origin
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


# --- statements (statements.md)


HEADER = members({"alg": one_of("EdDSA", "ES256"), "typ": text(r".*", 64), "kid": text(r".*", 64)})


@dataclass(frozen=True)
class Statement:
    kind: str
    algorithm: str
    kid: str
    payload: dict[str, Any]
    hash: str
    jws: str


def parse_statement(compact: str, kinds: Mapping[str, Form]) -> Statement:
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
    if not kinds[kind](payload):
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
