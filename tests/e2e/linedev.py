# SPDX-License-Identifier: Apache-2.0
"""A device that speaks in lines, for tests/plugins/line.c: LOGIN, GET, ON, OFF.

    device = lab.keep(LineDevice())
    device.port, device.password, device.refusals
"""
import socketserver
import threading

PASSWORD = "the-canary-sings"


class Talk(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True

    def handle(self):
        device, known = self.server.device, False
        try:
            for line in self.rfile:
                word, _, rest = line.decode("latin-1").rstrip("\n").partition(" ")
                if word == "LOGIN":
                    known = rest == PASSWORD
                    device.refusals += not known
                    answer = "OK" if known else "NO"
                elif not known:
                    answer = "NO"
                elif word == "GET":
                    answer = device.state
                else:
                    device.state = word.lower()
                    answer = "OK"
                self.wfile.write(answer.encode() + b"\n")
        except OSError:
            pass  # the relay in front of it hangs up as it likes


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 1024


class LineDevice:
    def __init__(self):
        self.state, self.refusals = "off", 0
        self.server = Server(("127.0.0.1", 0), Talk)
        self.server.device = self
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
