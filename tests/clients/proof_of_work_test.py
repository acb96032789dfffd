"""Players of challenges solve the puzzles by scripts of their own, which know what kCTF and
redpwn's servers say. The scripts here do what the solvers of both do, by the same steps."""
import base64
import re
import socket

import kit

PRIME = 2**1279 - 1


def decode(text):
    return int.from_bytes(base64.b64decode(text), "big")


def solve(puzzle):
    version, difficulty, number = puzzle.split(".")
    if version != "s":
        raise ValueError(puzzle)
    number = decode(number)
    for _ in range(decode(difficulty)):
        number = pow(number, (PRIME + 1) // 4, PRIME) ^ 1
    return number


def kctf_text(number):
    size = number.bit_length() // 24 * 3 + 3
    return "s." + base64.b64encode(number.to_bytes(size, "big")).decode()


def redpwn_text(number):
    size = (number.bit_length() + 7) // 8
    return "s." + base64.b64encode(number.to_bytes(size, "big")).decode()


class ProofOfWorkTest(kit.ClientTest):
    def setUp(self):
        super().setUp()
        self.port = self.add_program("puzzled", "cat", proof_of_work=30)
        self.remembering = self.add_program("remembering", "cat", proof_of_work=1,
                                            proof_of_work_time=600)
        self.start_daemon()

    def connect(self, port, source=kit.HOST):
        client = socket.create_connection((kit.HOST, port), kit.DEADLINE_SECONDS, (source, 0))
        self.addCleanup(client.close)
        return client

    def read_until(self, client, end):
        text = b""
        while not text.endswith(end):
            piece = client.recv(4096)
            self.assertTrue(piece, text)
            text += piece
        return text.decode()

    def read_all(self, client):
        text = b""
        while piece := client.recv(4096):
            text += piece
        return text

    def puzzle_of(self, client):
        prompt = self.read_until(client, b"solution: ")
        command = re.search(r"^proof of work: (.*)$", prompt, re.MULTILINE)[1]
        other = re.search(r"solve (\S+)$", prompt, re.MULTILINE)[1]
        self.assertEqual(command.split()[-1], other)
        return other

    def play(self, port, write):
        client = self.connect(port)
        solution = write(solve(self.puzzle_of(client)))
        client.sendall(f"{solution}\nhello\n".encode())
        client.shutdown(socket.SHUT_WR)
        self.assertEqual(self.read_all(client), b"Correct\nhello\n")

    def test_serves_who_solves_like_kctf(self):
        self.play(self.port, kctf_text)
        self.assert_sessions("puzzled", 1)

    def test_serves_who_solves_like_redpwn(self):
        self.play(self.port, redpwn_text)
        self.assert_sessions("puzzled", 1)

    def test_refuses_what_is_nearly_right(self):
        client = self.connect(self.port)
        number = solve(self.puzzle_of(client))
        client.sendall(f"{kctf_text(number ^ 2)}\nhello\n".encode())
        self.assertIn(b"Incorrect: ", self.read_all(client))
        self.wait_for_lines(kit.SERVICE_LOG, f"FAIL: puzzled proof of work from={kit.HOST}\n")

    def test_either_root_is_right(self):
        """y and P - y have the same square."""
        client = self.connect(self.port)
        number = PRIME - (solve(self.puzzle_of(client)) ^ 1) ^ 1
        client.sendall(f"{kctf_text(number)}\n".encode())
        self.assertEqual(self.read_until(client, b"\n"), "Correct\n")

    def test_remembers_who_has_solved_one(self):
        self.play(self.remembering, redpwn_text)
        client = self.connect(self.remembering)
        client.sendall(b"hello\n")
        client.shutdown(socket.SHUT_WR)
        self.assertEqual(self.read_all(client), b"hello\n")
        self.puzzle_of(self.connect(self.remembering, "127.0.0.2"))
