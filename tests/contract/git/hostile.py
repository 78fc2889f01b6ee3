"""Bundles no honest runner makes: packs and objects built by hand."""

import hashlib
import struct
import zlib

from stagewright.adapters.git.quarantine import RESULT

COMMIT, TREE, BLOB, REF_DELTA = 1, 2, 3, 7


def object_id(kind: str, body: bytes) -> str:
    """Return the id git gives an object."""
    return hashlib.sha1(f"{kind} {len(body)}\0".encode() + body).hexdigest()


def tree(*entries: tuple[str, bytes, str]) -> bytes:
    """Return a tree of (mode, name, id) in the given order, however wrong."""
    return b"".join(f"{mode} ".encode() + name + b"\0" + bytes.fromhex(sha) for mode, name, sha in entries)


def commit(tree_sha: str, *parents: str) -> bytes:
    """Return a commit."""
    lines = [f"tree {tree_sha}", *(f"parent {sha}" for sha in parents)]
    who = "A <a@x> 1767600000 +0000"
    return "\n".join([*lines, f"author {who}", f"committer {who}", "", "hostile", ""]).encode()


def entry(kind: int, body: bytes, *, size: int | None = None, base: str | None = None) -> bytes:
    """Return one entry of a pack; ``size`` may lie."""
    left = len(body) if size is None else size
    head = bytearray()
    byte, left = (kind << 4) | (left & 15), left >> 4
    while left:
        head.append(byte | 0x80)
        byte, left = left & 0x7F, left >> 7
    head.append(byte)
    return bytes(head) + (bytes.fromhex(base) if base else b"") + zlib.compress(body)


def pack(*entries: bytes, count: int | None = None) -> bytes:
    """Return a pack; ``count`` may lie."""
    data = b"PACK" + struct.pack(">II", 2, len(entries) if count is None else count) + b"".join(entries)
    return data + hashlib.sha1(data).digest()


def bundle(result: str, base: str, data: bytes, *, ref: str = RESULT) -> bytes:
    """Return a bundle around ``data``."""
    return f"# v2 git bundle\n-{base} base\n{result} {ref}\n\n".encode() + data


def with_tree(base: str, body: bytes, *more: bytes) -> bytes:
    """Return a bundle whose one commit has the tree ``body``."""
    top = commit(object_id("tree", body), base)
    return bundle(object_id("commit", top), base, pack(entry(COMMIT, top), entry(TREE, body), *more))


def varint(number: int) -> bytes:
    """Return a number as deltas write it."""
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def delta_bomb(base: str, copies: int = 4096) -> bytes:
    """Return a bundle of about 20 KB with a blob that unfolds to ``copies`` MiB."""
    blob = bytes(1 << 20)
    sha = object_id("blob", blob)
    copy_all = b"\xf0" + struct.pack("<I", len(blob))[:3]
    delta = varint(len(blob)) + varint(len(blob) * copies) + copy_all * copies
    body = tree(("100644", b"bomb", sha))
    top = commit(object_id("tree", body), base)
    entries = (entry(COMMIT, top), entry(TREE, body), entry(BLOB, blob), entry(REF_DELTA, delta, base=sha))
    return bundle(object_id("commit", top), base, pack(*entries))


def tree_bomb(base: str, blob: str, depth: int = 12) -> bytes:
    """Return a bundle of a few objects whose tree has 10^depth paths."""
    body = tree(("100644", b"leaf", blob))
    entries = [entry(TREE, body)]
    for _ in range(depth):
        sha = object_id("tree", body)
        body = tree(*(("40000", f"d{number}".encode(), sha) for number in range(10)))
        entries.append(entry(TREE, body))
    top = commit(object_id("tree", body), base)
    return bundle(object_id("commit", top), base, pack(entry(COMMIT, top), *entries))
