# SPDX-License-Identifier: Apache-2.0
# A TCP proxy between one device and the server that fails in the ways networks fail.
#
# The device's origin is the proxy, so nothing in the browser can see around it: pages, workers, kept-alive
# connections and event streams all go through here. `navigator.onLine` stays true, as it does on a bad network.
import asyncio
import re
import socket
import struct
import threading

MODES = {
    'up': 'bytes pass',
    'refuse': 'connections are refused and live ones are reset',
    'blackhole': 'everything is swallowed, connections stay open',
    'cut_after': 'each answer is cut after `cut_bytes` bytes',
    'ack_lost': 'requests reach the server; as soon as it answers, the connection is reset and the answer is lost',
    'slow': 'each direction passes `bytes_per_second`',
    'portal': 'the proxy answers every request itself, with 200 and a page',
}
RESETTING = {'refuse', 'portal'}
REQUEST_LINE = re.compile(rb'^(GET|HEAD|POST|PUT|DELETE) (\S+) HTTP/1\.1\r\n')
PORTAL_PAGE = b'<!doctype html><title>Guest network</title><h1>Welcome</h1><p>Accept the terms to go online.</p>'
SLOW_STEPS_PER_SECOND = 20


class FaultProxy:
    """`proxy.mode('refuse')` changes what happens from now on; `port_of_server` is asked at each connection."""

    def __init__(self, port_of_server):
        self.port_of_server = port_of_server
        self.port = 0
        self.state, self.cut_bytes, self.bytes_per_second = 'up', 0, 0
        self.keeps_answers = False
        self.answers = bytearray()        # every byte that went to the device, while keeps_answers is set
        self.counts = {'answers_lost': 0, 'portal_answers': 0, 'swallowed': 0, 'push_bytes_up': 0}
        self._live, self._listener, self._tasks = set(), None, set()
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self._on_loop(self._listen())

    @property
    def url(self):
        return f'http://127.0.0.1:{self.port}'

    def mode(self, name, cut_bytes=0, bytes_per_second=0):
        if name not in MODES:
            raise ValueError(f'{name} is none of {", ".join(MODES)}')
        self._on_loop(self._change(name, cut_bytes, bytes_per_second))

    def close(self):
        self._on_loop(self._change('refuse', 0, 0))
        self._loop.call_soon_threadsafe(self._loop.stop)

    def _on_loop(self, work):
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(('127.0.0.1', self.port))
        self.port = listener.getsockname()[1]
        self._listener = await asyncio.start_server(self._accept, sock=listener)

    async def _change(self, name, cut_bytes, bytes_per_second):
        self.state, self.cut_bytes, self.bytes_per_second = name, cut_bytes, bytes_per_second
        if name == 'refuse' and self._listener:
            self._listener.close()
            self._listener = None
        if name != 'refuse' and not self._listener:
            await self._listen()
        if name in RESETTING:
            for connection in list(self._live):
                connection.reset()

    async def _accept(self, reader, writer):
        connection = _Connection(self, reader, writer)
        self._live.add(connection)
        try:
            if self.state == 'portal':
                await connection.answer_as_portal()
            else:
                await connection.relay()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # either side went away, which is what this proxy is for
        finally:
            self._live.discard(connection)
            connection.reset()


class _Connection:
    """One connection of the device and its counterpart to the server."""

    def __init__(self, proxy, reader, writer):
        self.proxy, self.reader, self.writer = proxy, reader, writer
        self.upstream = None
        self.is_push = False
        self.sent = 0

    def reset(self):
        """Ends both sides at once; the device sees a reset, not a polite end."""
        for side in (self.writer, self.upstream):
            if side is None or side.transport.is_closing():
                continue
            try:
                side.get_extra_info('socket').setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
            except OSError:
                pass  # closed meanwhile
            side.transport.abort()

    async def relay(self):
        server, self.upstream = await asyncio.open_connection('127.0.0.1', self.proxy.port_of_server())
        directions = [asyncio.ensure_future(self._up(self.reader)), asyncio.ensure_future(self._down(server))]
        try:
            await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for direction in directions:
                direction.cancel()
            await asyncio.gather(*directions, return_exceptions=True)

    async def _up(self, device):
        while chunk := await device.read(65536):
            begins = REQUEST_LINE.match(chunk)
            if begins:
                self.is_push = begins.group(1) == b'POST' and begins.group(2).startswith(b'/sync')
                self.sent = 0
            if self.proxy.state == 'blackhole':
                self.proxy.counts['swallowed'] += 1
                continue
            await self._pass(chunk, self.upstream, self.is_push)

    async def _down(self, server):
        while chunk := await server.read(65536):
            state = self.proxy.state
            if state == 'blackhole':
                continue
            if state == 'ack_lost':
                self.proxy.counts['answers_lost'] += self.is_push
                return
            if state == 'cut_after':
                chunk = chunk[:max(0, self.proxy.cut_bytes - self.sent)]
            if self.proxy.keeps_answers:
                self.proxy.answers += chunk
            self.sent += len(chunk)
            await self._pass(chunk, self.writer, False)
            if state == 'cut_after' and self.sent >= self.proxy.cut_bytes:
                self.proxy.counts['answers_lost'] += self.is_push
                return

    async def _pass(self, chunk, target, counts_push):
        """Hands bytes on: at once, or in small steps while the network is slow."""
        while chunk:
            step = len(chunk)
            if self.proxy.state == 'slow':
                step = max(1, self.proxy.bytes_per_second // SLOW_STEPS_PER_SECOND)
                await asyncio.sleep(1 / SLOW_STEPS_PER_SECOND)
            target.write(chunk[:step])
            await target.drain()
            if counts_push:
                self.proxy.counts['push_bytes_up'] += len(chunk[:step])
            chunk = chunk[step:]

    async def answer_as_portal(self):
        while True:
            head = await self.reader.readuntil(b'\r\n\r\n')
            length = re.search(rb'(?i)\r\ncontent-length: *(\d+)', head)
            if length:
                await self.reader.readexactly(int(length.group(1)))
            self.proxy.counts['portal_answers'] += head.startswith(b'POST /sync')
            self.writer.write(b'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n' % len(PORTAL_PAGE) + PORTAL_PAGE)
            await self.writer.drain()
            if self.proxy.state != 'portal':
                return
