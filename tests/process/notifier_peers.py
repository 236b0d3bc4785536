"""The other side of hufu-notifier, for notifier.bats.

  notifier_peers.py smtp PORT CERT KEY FOLDER      a real SMTP server (aiosmtpd) with STARTTLS and a log-in; each mail becomes a file
  notifier_peers.py gateway PORT CERT KEY FOLDER   an HTTPS gateway that behaves as FOLDER/mode says; each request becomes a line of FOLDER/requests

Says "ready" on standard output and runs until it is ended.
"""
import http.server, json, os, signal, socket, ssl, sys, threading

what, port, cert, key, folder = sys.argv[1], int(sys.argv[2]), *sys.argv[3:6]
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain(cert, key)


def mode(default="ok"):
    try:
        return open(os.path.join(folder, "mode")).read().strip() or default
    except FileNotFoundError:
        return default


def kill_desk():
    """What is accepted now can't be reported: the desk is gone before the answer. It goes when whoever asked for the message has heard."""
    open(os.path.join(folder, "..", "asked")).read()
    os.kill(int(open(os.path.join(folder, "..", "ra.pid")).read()), signal.SIGKILL)
    open(os.path.join(folder, "mode"), "w").write("ok")


def smtp():
    from aiosmtpd.controller import Controller
    from aiosmtpd.smtp import AuthResult, LoginPassword

    class Mails:
        n = 0

        async def handle_RCPT(self, server, session, envelope, address, options):
            if address.startswith("nobody@"):
                return "550 5.1.1 no such user here"
            if address.startswith("later@") and mode() != "kind":
                return "451 4.3.0 try again"
            envelope.rcpt_tos.append(address)
            return "250 OK"

        async def handle_DATA(self, server, session, envelope):
            Mails.n += 1
            if mode() == "kills_desk" and envelope.rcpt_tos[0].startswith("untold@"):
                kill_desk()
            if mode() == "hang":  # it has the mail, and the answer never comes
                self.keep(envelope, session)
                import asyncio
                await asyncio.sleep(600)
            if mode() == "refuse":
                return "554 5.7.1 refused: " + envelope.content.decode("ascii", "replace")[-40:].strip()
            self.keep(envelope, session)
            return "250 OK"

        def keep(self, envelope, session):
            path = os.path.join(folder, "%03d.json" % Mails.n)
            with open(path + ".new", "w") as f:
                json.dump({"from": envelope.mail_from, "to": envelope.rcpt_tos, "mail": envelope.content.decode("ascii"),
                           "tls": session.ssl is not None, "user": session.authenticated}, f)
            os.rename(path + ".new", path)

    def login(server, session, envelope, mechanism, data):
        good = isinstance(data, LoginPassword) and (data.login, data.password) == (b"desk", b"the password of the tests")
        return AuthResult(success=good, handled=good)

    Controller(Mails(), hostname="127.0.0.1", port=port, tls_context=tls, require_starttls=True, auth_required=True,
               authenticator=login).start()


class Gateway(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body=b'{"code": 0}', headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def handle_any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        m = mode()
        with open(os.path.join(folder, "requests"), "a") as f:
            f.write(json.dumps({"mode": m, "method": self.command, "path": self.path, "body": body,
                                "key": self.headers.get("Idempotency-Key"), "auth": self.headers.get("Authorization")}) + "\n")
        if m == "kills_desk":
            kill_desk()
        if m in ("ok", "kills_desk"):
            self.answer(200)
        elif m == "twice":
            self.answer(200)
            self.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{"code": 7}')
            self.close_connection = True
        elif m == "unknown_number":
            self.answer(200, b'{"code": 30001}')
        elif m == "wrong":
            self.answer(200, b"<html>welcome</html>")
        elif m == "500":
            self.answer(500)
        elif m == "401":
            self.answer(401)
        elif m == "redirect":
            self.answer(302, headers=[("Location", "https://127.0.0.1:%d/elsewhere" % port)])
        elif m == "huge":
            self.answer(200, b'{"code": 0, "x": "' + b"x" * (8 << 20) + b'"}')
        elif m == "closes":
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
        elif m == "late":
            threading.Event().wait(600)
        else:
            self.answer(int(m))

    do_POST = do_GET = do_PUT = handle_any

    def log_message(self, *words):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass


if what == "smtp":
    smtp()
else:
    server = Server(("127.0.0.1", port), Gateway)
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
print("ready", flush=True)
threading.Event().wait()
