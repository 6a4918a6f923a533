"""Packs, signs and verifies transactions of BitShares with python-bitshares, for a test to compare.

Reads one JSON array from a file: {"transaction": {...}, "wif": "...", "signature": "..."}; writes one line of
JSON for each: what it packs, its own signature, and whom it finds behind ours; or why it cannot.
"""

import json
import sys
from binascii import hexlify, unhexlify

from bitsharesbase import operations
from bitsharesbase.chains import known_chains
from bitsharesbase.signedtransactions import Signed_Transaction
from graphenebase.ecdsa import verify_message

NAMES = {57: "Ticket_create_operation", 58: "Ticket_update_operation"}


def class_of(number, name):
    return getattr(operations, NAMES.get(number) or name[0].upper() + name[1:])


def make(transaction, names):
    made = [class_of(number, names[str(number)])(**fields) for number, fields in transaction["operations"]]
    return Signed_Transaction(
        ref_block_num=transaction["ref_block_num"],
        ref_block_prefix=transaction["ref_block_prefix"],
        expiration=transaction["expiration"],
        operations=made,
    )


def answer(task, names):
    made = make(task["transaction"], names)
    chain = known_chains["BTS"]
    made.deriveDigest(chain)
    message = made.message
    found = verify_message(message, unhexlify(task["signature"]))
    made.sign([task["wif"]], chain)
    return {
        "packed": hexlify(bytes(made)[: -1 - 65]).decode(),
        "signed_over": hexlify(message).decode(),
        "signature": made.json()["signatures"][0],
        "found": hexlify(found).decode(),
    }


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        given = json.load(file)
    for task in given["tasks"]:
        try:
            print(json.dumps(answer(task, given["names"])))
        except Exception as error:  # what it cannot write, the test looks at
            print(json.dumps({"error": f"{type(error).__name__}: {error}"}))


main()
