#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks powerctl-bmcsim with datagrams of our own: what polite clients never send.

Suite 0 has no keys, so that a session needs no cryptography here.
"""
import hashlib
import hmac
import random
import socket
import struct

from ipmilib import PASSWORD, BmcFleet
from lib import PATIENCE, main, same, test

RMCP = b"\x06\x00\xff\x07"
OPEN, RAKP1, RAKP3 = 0x10, 0x12, 0x14
CAPS = (6, 0x38, b"\x8e\x04")


def total(data):
    return bytes([-sum(data) & 0xFF])


def message(netfn, command, data=b"", seq=0, lun=0):
    head = bytes([0x20, netfn << 2 | lun])
    body = bytes([0x81, seq << 2, command]) + data
    return head + total(head) + body + total(body)


def v15(payload, session=0, sequence=0, auth=0, code=b""):
    return RMCP + struct.pack("<BII", auth, sequence, session) + code + bytes([len(payload)]) + \
        payload


def v20(kind, payload, session=0, sequence=0):
    return RMCP + struct.pack("<BBIIH", 6, kind, session, sequence, len(payload)) + payload


class Client:
    """One console, without keys."""

    def __init__(self, bmcs, n=1):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(bmcs.address(n))
        self.socket.settimeout(PATIENCE)
        self.session, self.sequence, self.seq, self.name = 0, 0, 0, b"admin"

    def ask(self, packet):
        self.socket.send(packet)
        return self.socket.recv(2000)

    def silent(self, packet):
        """No answer: the next thing that is answered is what we ask after it."""
        self.socket.send(packet)
        pong = self.ask(b"\x06\x00\xff\x06\x00\x00\x11\xbe\x80\x77\x00\x00")
        same((pong[8], pong[9]), (0x40, 0x77), "a pong and nothing else")

    def setup(self, kind, payload):
        answer = self.ask(v20(kind, payload))
        same(answer[5], kind + 1)
        return answer[16:]

    def open(self, algorithms=(0, 0, 0), privilege=4, console=0xC0501E, lengths=(8, 8, 8)):
        data = struct.pack("<BBHI", 9, privilege, 0, console)
        for kind, (a, n) in enumerate(zip(algorithms, lengths)):
            data += struct.pack("<BHBBBH", kind, 0, n, a, 0, 0)
        return self.setup(OPEN, data)

    def rakp1(self, session, name=b"admin", role=0x14):
        return self.setup(RAKP1, struct.pack("<BBHI", 1, 0, 0, session) + b"r" * 16 +
                          struct.pack("<BHB", role, 0, len(name)) + name)

    def rakp3(self, session, code=b"", status=0):
        return self.setup(RAKP3, struct.pack("<BBHI", 2, status, 0, session) + code)

    def login(self, name=b"admin", role=0x14):
        self.session = struct.unpack_from("<I", self.open(), 8)[0]
        same(self.rakp1(self.session, name, role)[1], 0)
        same(self.rakp3(self.session)[1], 0)
        same(self.command(6, 0x3B, bytes([role & 15]))[0], 0)
        return self

    def packet(self, netfn, command, data=b"", seq=None, sequence=None):
        if seq is None:
            seq = self.seq = (self.seq + 1) % 64
        if sequence is None:
            sequence = self.sequence = self.sequence + 1
        return v20(0, message(netfn, command, data, seq), self.session, sequence)

    def command(self, *args, **how):
        """Completion code and data."""
        return self.ask(self.packet(*args, **how))[16 + 6:-1]


def open_bmc(lab, *args, **how):
    return BmcFleet(lab, "--state", "on", "--set", "all:suites=0,3,17", *args, **how)


@test
def before_a_session(lab):
    """capabilities, GUID, cipher suites and pings in the clear; nothing else"""
    bmcs = open_bmc(lab)
    c = Client(bmcs)
    answer = c.ask(v15(message(*CAPS)))
    same(answer[20:], bytes.fromhex("00 01 94 04 03 000000 00") + answer[-1:], "as set")
    same(answer, c.ask(v15(message(*CAPS))), "always the same")
    same(c.ask(v15(message(6, 0x38, b"\x0e\x04")))[20:24].hex(), "00011404", "1.5 asked for")
    same(c.ask(v15(message(6, 0x37)))[21:-1].hex(), bmcs.device()["guid"].replace("-", ""))
    same(c.ask(v20(0, message(*CAPS)))[5], 0, "in 2.0's format too")
    # Suites 0, 3 and 17 are 15 bytes of records; the next piece is empty.
    records = c.ask(v15(message(6, 0x54, b"\x0e\x00\x80")))[20:-1]
    same(records.hex(), "0001" "c000004080" "c003014181" "c011034481")
    same(c.ask(v15(message(6, 0x54, b"\x0e\x00\x81")))[20:-1].hex(), "0001")
    for netfn, command, data in ((0, 1, b""), (0, 2, b"\x03"), (6, 1, b""), (6, 0x3C, b"1234")):
        c.silent(v15(message(netfn, command, data)))
        c.silent(v20(0, message(netfn, command, data)))
    bmcs.set(1, cipher_suites_answer=0)
    c.silent(v15(message(6, 0x54, b"\x0e\x00\x80")))
    same(bmcs.counters()["power_reset"], 0)
    bmcs.set(1, kg="x", per_message=0, no_ipmi15=1)
    same(c.ask(v15(message(*CAPS)))[20:26].hex(), "000194340200")


@test
def codes(lab):
    """each mistake in Open Session and RAKP has its status"""
    bmcs = open_bmc(lab)
    c = Client(bmcs)
    for status, how in ((0x00, {}), (0x04, {"algorithms": (2, 0, 0)}),
                        (0x05, {"algorithms": (1, 3, 1)}), (0x10, {"algorithms": (1, 1, 2)}),
                        (0x11, {"algorithms": (1, 4, 1)}), (0x09, {"privilege": 7}),
                        (0x02, {"console": 0}), (0x06, {"lengths": (7, 8, 8)}),
                        (0x07, {"lengths": (8, 7, 8)}), (0x12, {"lengths": (8, 8, 7)})):
        answer = c.open(**how)
        same((answer[0], answer[1], len(answer)), (9, status, 8 if status else 36), str(how))
    # A length of 0 leaves the choice to the BMC: the best that is enabled.
    answer = c.open(lengths=(0, 0, 0), privilege=0)
    same((answer[2], answer[16], answer[24], answer[32]), (4, 3, 4, 1))
    session = struct.unpack_from("<I", c.open(), 8)[0]
    same(c.rakp1(session + 32)[1], 0x02)
    same(c.rakp1(session, b"nobody")[1], 0x0D)
    same(c.rakp1(session, b"user")[1], 0x0A)
    same(c.rakp1(session, b"admin", 0x17)[1], 0x09)
    same(c.rakp1(session, b"x" * 17)[1], 0x0C)
    same(c.rakp3(session)[1], 0x02, "before RAKP 1")
    bmcs.set(1, echo_privilege_zero=1)
    same(c.open(privilege=0)[2], 0)


@test
def rakp_code(lab):
    """the codes of RAKP 2 and 4 are what the specification says; RAKP 3 is checked"""
    bmcs = open_bmc(lab)
    guid = bytes.fromhex(bmcs.device()["guid"].replace("-", ""))
    for hash_name, algorithms, size in (("sha1", (1, 1, 1), 12), ("sha256", (3, 4, 1), 16)):
        key = PASSWORD.encode().ljust(20, b"\0")
        role = b"\x14\x05admin"
        for wrong in (False, True):
            c = Client(bmcs)
            ids = c.open(algorithms)[4:12]
            session = struct.unpack_from("<I", ids, 4)[0]
            answer = c.rakp1(session)
            same(answer, c.rakp1(session), "the same again for the same question")
            rm = answer[8:24]
            same(answer[24:40], guid)
            same(answer[40:], hmac.new(key, ids + b"r" * 16 + rm + guid + role, hash_name).digest())
            code = hmac.new(key, rm + ids[:4] + role, hash_name).digest()
            answer = c.rakp3(session, code[:-1] + bytes([code[-1] ^ wrong]))
            same(answer[1], 0x0F if wrong else 0)
            if wrong:
                same(c.rakp3(session, code)[1], 0x02, "that login is over")
                continue
            sik = hmac.new(key, b"r" * 16 + rm + role, hash_name).digest()
            check = hmac.new(sik, b"r" * 16 + ids[4:] + guid, hash_name).digest()
            same(answer[8:], check[:size])
            same(c.rakp3(session, code), answer, "and again: the answer may have been lost")
    same(bmcs.counters()["bad_logins"], 2)
    session = struct.unpack_from("<I", Client(bmcs).open((1, 1, 1)), 8)[0]
    c.rakp1(session)
    c.silent(v20(RAKP3, struct.pack("<BBHI", 2, 0x0F, 0, session)))
    same(bmcs.counters()["bad_logins"], 3)


@test
def signed_packets(lab):
    """in a session with integrity (suite 2) a packet counts only with the right code"""
    bmcs = BmcFleet(lab, "--state", "on")
    c = Client(bmcs)
    ids = c.open((1, 1, 0))[4:12]
    session = struct.unpack_from("<I", ids, 4)[0]
    rm = c.rakp1(session)[8:24]
    key, role = PASSWORD.encode().ljust(20, b"\0"), b"\x14\x05admin"
    same(c.rakp3(session, hmac.new(key, rm + ids[:4] + role, "sha1").digest())[1], 0)
    sik = hmac.new(key, b"r" * 16 + rm + role, "sha1").digest()
    k1 = hmac.new(sik, b"\x01" * 20, "sha1").digest()

    def signed(sequence, k=k1):
        packet = v20(0x40, message(0, 1, seq=sequence), session, sequence)
        pad = -(len(packet) - 4 + 2) % 4
        packet += b"\xff" * pad + bytes([pad, 7])
        return packet + hmac.new(k, packet[4:], "sha1").digest()[:12]

    answer = c.ask(signed(1))
    same(answer[5], 0x40)
    same(answer[-12:], hmac.new(k1, answer[4:-12], "sha1").digest()[:12])
    good = signed(2)
    for bad in (signed(2, sik), good[:-1], good[:20] + bytes([good[20] ^ 1]) + good[21:],
                v20(0, message(0, 1), session, 2), good[:14] + b"\x06\x00" + good[16:]):
        c.silent(bad)
    same(bmcs.counters()["bad_auth_code"], 5)
    same(c.ask(good)[5], 0x40, "none of them has used up the number")


@test
def limit(lab):
    """no more sessions than there are slots; closing and expiry free them"""
    bmcs = open_bmc(lab, "--set", "1:session_limit=2")
    first, second = Client(bmcs).login(), Client(bmcs).login()
    third = Client(bmcs)
    same(third.open()[1], 0x01)
    same(bmcs.counters()["open_refused"], 1)
    same(first.command(6, 0x3C, struct.pack("<I", first.session)), b"\0")
    first.silent(first.packet(0, 1))
    third.login()
    same((bmcs.device()["sessions"], bmcs.counters()["peak_sessions"]), (2, 2))
    bmcs.set(1, session_timeout_ms=1)
    bmcs.wait(lambda d: third.open()[1] == 0 or False)
    same(bmcs.counters()["sessions_expired"] > 0, True)
    bmcs.set(1, session_timeout_ms=60000, session_limit=0)
    same(second.open()[1], 0x01)


@test
def duplicates(lab):
    """a request with the number of the last one: the same answer, CFh, or it acts again"""
    bmcs = open_bmc(lab, devices=3)
    for n, mode, code, resets in ((1, "again", b"\0", 1), (2, "cf", b"\xcf", 1),
                                  (3, "off", b"\0", 3)):
        bmcs.set(n, dedup=mode)
        c = Client(bmcs, n).login()
        same(c.command(0, 2, b"\x03"), b"\0")
        for _ in range(2):
            same(c.command(0, 2, b"\x03", seq=c.seq), code, mode)
        same(bmcs.counters(n)["power_reset"], resets, mode)
        same(bmcs.counters(n)["duplicates"], 0 if mode == "off" else 2, mode)
    c = Client(bmcs, 1).login()
    status = c.command(0, 1)
    same(c.command(0, 1, seq=c.seq), status, "data and all")
    same(c.command(0, 2, b"\x03", seq=c.seq), b"\0", "another command is another request")
    same(bmcs.counters(1)["power_reset"], 2)


@test
def window(lab):
    """session sequence numbers: used ones and those far away are not heard"""
    bmcs = open_bmc(lab)
    c = Client(bmcs).login()
    at = c.sequence
    for sequence in (at, 0, at - 20, at + 16, at + 1000, 2**32 - 5):
        c.silent(c.packet(0, 1, sequence=sequence & 0xFFFFFFFF))
    same(bmcs.counters()["replayed"], 6)
    same(c.command(0, 1, sequence=at + 15)[0], 0, "the farthest one")
    same(c.command(0, 1, sequence=at + 3)[0], 0, "late, but new")
    c.silent(c.packet(0, 1, sequence=at + 3))
    bmcs.set(1, seq_check=0)
    same(c.command(0, 1, sequence=at + 3)[0], 0)


@test
def serial(lab):
    """SOL: what came twice acts once; partly taken, refused, too long; taken away"""
    bmcs = open_bmc(lab)
    c = Client(bmcs).login()
    same(c.command(6, 0x48, b"\1\1\0\0\0\0")[:9].hex(), "00" "00000000" "ff00ff00")

    def sol(head, data=b""):
        c.sequence += 1
        return v20(1, bytes(head) + data, c.session, c.sequence)

    def receive():
        return c.socket.recv(2000)[16:]

    packet = receive()
    same(packet[:4], b"\x01\0\0\0")
    same(b"bmc1> " in packet, True)
    c.socket.send(sol([0, 1, len(packet) - 4, 0]))
    for again in (False, True):
        c.socket.send(sol([1, 0, 0, 0], b"hey"))
        same(receive(), b"\0\x01\x03\0", "what was taken")
        if not again:
            same(receive(), b"\x02\0\0\0hey", "echo")
            c.socket.send(sol([0, 2, 2, 0]))  # only two of them: the third comes again
            same(receive(), b"\x03\0\0\0y")
            c.socket.send(sol([0, 3, 1, 0]))
    same((bmcs.counters()["sol_repeats"], bmcs.counters()["sol_bytes_in"]), (1, 3))
    bmcs.set(1, sol_accept=1)
    c.socket.send(sol([2, 0, 0, 0], b"ab"))
    same(receive(), b"\0\x02\x01\x40")
    same(receive(), b"\x04\0\0\0a")
    c.socket.send(sol([0, 4, 1, 0]))
    bmcs.set(1, sol_accept=0, sol_nack=1)
    c.socket.send(sol([3, 0, 0, 0], b"b"))
    same(receive(), b"\0\x03\0\x40")
    bmcs.set(1, sol_max_in=6)
    c.socket.send(sol([4, 0, 0, 0], b"bcd"))
    same(receive(), b"\0\x04\0\x40")
    bmcs.set(1, sol_drop_in=1)
    c.silent(sol([5, 0, 0, 0], b"x"))
    bmcs.set(1, sol_retries=2, sol_retry_ms=20, sol_piggyback=1)
    c.socket.send(sol([5, 0, 0, 0], b"z"))
    same(receive(), b"\x05\x05\x01\0z", "with the acknowledgement")
    same([receive() for _ in range(2)], [b"\x05\0\0\0z"] * 2, "nobody says that it came")
    bmcs.wait(lambda d: d["counters"]["sol_lost"] == 1)
    bmcs.set(1, sol_taken="taken")
    same(receive(), b"\0\0\0\x10", "deactivated")
    same(c.command(6, 0x48, b"\1\1\0\0\0\0"), b"\x80")
    same(c.command(6, 0x49, b"\1\1\0\0\0\0"), b"\0")
    same(c.command(6, 0x48, b"\1\1\0\0\0\0")[0], 0)


@test
def slow(lab):
    """one thing after the other: what comes meanwhile waits, and is answered"""
    bmcs = open_bmc(lab, "--set", "1:control_delay_ms=300")
    c = Client(bmcs).login()
    c.socket.send(c.packet(0, 2, b"\x03"))
    c.socket.send(c.packet(0, 1))
    same([c.socket.recv(2000)[16 + 5] for _ in range(2)], [2, 1])
    same((bmcs.counters()["queued"], bmcs.counters()["power_reset"]), (1, 1))
    for _ in range(80):
        c.socket.send(c.packet(0, 2, b"\x03"))
    same(bmcs.counters()["dropped"] <= 80, True)


@test
def lengths(lab):
    """requests that are too short or too long, commands and functions that there are not"""
    bmcs = open_bmc(lab)
    c = Client(bmcs).login()
    same(c.command(0, 2), b"\xc7")
    same(c.command(0, 2, b"\x03\x00"), b"\xc7")
    same(c.command(0, 2, b"\x06"), b"\xcc")
    same(c.command(0, 0x77), b"\xc1")
    same(c.command(0x3E, 0), b"\xc1")
    same(c.command(0x0A, 0x43, b"\0\0\0\0\x00\xff"), b"\xcb" if not bmcs.device()["sel"] else None)
    same(c.command(0x0A, 0x23, b"\0\0\xff\x00\x00\xff"), b"\xcb")
    same(c.command(0x0A, 0x23, b"\x12\x34\x01\x00\x05\x05"), b"\xc5")
    same(c.command(0x0A, 0x11, b"\x01\0\0\x08"), b"\xcb")
    same(c.command(0x04, 0x2D, b"\xee"), b"\xcb")
    c.silent(v20(0, message(0, 1, seq=9, lun=0)[:-1] + b"\xee", c.session, c.sequence + 1))
    same(bmcs.counters()["power_reset"], 0)


@test
def old_authentication(lab):
    """IPMI 1.5 by hand: the code is MD5 over password, session, message, number, password"""
    bmcs = open_bmc(lab)
    c = Client(bmcs)
    answer = c.ask(v15(message(6, 0x39, b"\x02" + b"admin".ljust(16, b"\0"))))
    session, challenge = struct.unpack_from("<I", answer, 21)[0], answer[25:41]
    word = PASSWORD.encode().ljust(16, b"\0")

    def signed(payload, sequence):
        code = hashlib.md5(word + struct.pack("<I", session) + payload +
                           struct.pack("<I", sequence) + word).digest()
        return v15(payload, session, sequence, 2, code)

    activate = signed(message(6, 0x3A, b"\x02\x04" + challenge + struct.pack("<I", 0x1234)), 0)
    c.silent(activate[:20] + bytes([activate[20] ^ 1]) + activate[21:])
    answer = c.ask(activate)
    same(struct.unpack_from("<I", answer, 5)[0], 0x1234)
    same(c.ask(activate)[30:], answer[30:], "again: the answer may have been lost")
    first = struct.unpack_from("<I", answer, 30 + 7 + 5)[0]
    status = signed(message(0, 1, seq=1), first)
    answer = c.ask(status)
    same((answer[30 + 6], struct.unpack_from("<I", answer, 5)[0]), (0, 0x1236))
    c.silent(status)
    same((bmcs.counters()["replayed"], bmcs.counters()["bad_logins"]), (1, 1))


@test
def garbage(lab):
    """twenty thousand mutilated datagrams and random ones: no harm, and not one too many answers"""
    bmcs = open_bmc(lab, "--set", "all:session_limit=32", devices=2)
    rng = random.Random(7)
    c = Client(bmcs).login()
    c.socket.setblocking(False)
    seeds = [v15(message(*CAPS)), c.packet(0, 1), c.packet(6, 0x48, b"\1\1\0\0\0\0"),
             v20(1, b"\1\0\0\0abc\r", c.session, 9), v20(OPEN, bytes(32)), v20(RAKP1, bytes(44)),
             v20(RAKP3, bytes(40)), v20(0xC0, bytes(48), c.session, 5),
             v15(message(6, 0x39, bytes(17))), v15(message(6, 0x3A, bytes(22)), 33, 0, 2, bytes(16)),
             c.packet(0x0A, 0x23, bytes(6)), c.packet(0x0A, 0x11, bytes(4))]
    for i in range(20000):
        data = bytearray(rng.choice(seeds))
        for _ in range(rng.randrange(4)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        if i % 3 == 0:
            del data[rng.randrange(len(data) + 1):]
        if i % 50 == 0:
            data = bytearray(rng.randbytes(rng.randrange(1500)))
        try:
            c.socket.send(bytes(data))
            c.socket.recv(2000)
        except BlockingIOError:
            pass
        if i % 100 == 0:
            bmcs.device()  # lets it catch up, or its socket overflows
    other = Client(bmcs, 2).login()
    same(other.command(0, 1)[0], 0)
    same(bmcs.counters()["datagrams"] > 10000, True)
    same(bmcs.counters()["malformed"] > 1000, True)
    same(bmcs.counters()["replies"] <= bmcs.counters()["datagrams"] + 100, True)


main()
