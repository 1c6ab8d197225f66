// SPDX-License-Identifier: Apache-2.0
// A plain, blocking HTTP/1.1 connection to this machine: what tests and benchmarks use to see every byte of an answer.

import Foundation

/// Why an exchange did not finish.
public enum LoopbackError: Error, Equatable {
  case cannotConnect
  /// The peer closed or reset the connection before the answer was whole.
  case cut
  case malformed
}

/// One answer, as it came.
public struct LoopbackAnswer: Sendable {
  public var status: Int
  /// Names in lower case; the last value of a name counts.
  public var headers: [String: String]
  public var body: [UInt8]
  /// The bytes before the body, the empty line included.
  public var head: [UInt8]

  /// Head and body together, byte for byte.
  public var raw: [UInt8] { head + body }

  public var text: String { String(decoding: body, as: UTF8.self) }
}

/// A keep-alive connection, used by one thread at a time.
public final class LoopbackConnection {
  private let socket: Int32
  private let port: Int
  private var pending: [UInt8] = []

  /// `sendBufferBytes`: what the system keeps of bytes not yet delivered; nil leaves the choice to it.
  public init(port: Int, timeoutSeconds: Int = 30, sendBufferBytes: Int32? = nil) throws(LoopbackError) {
    self.port = port
    #if canImport(Darwin)
      socket = Foundation.socket(AF_INET, SOCK_STREAM, 0)
    #else
      socket = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    #endif
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(UInt16(port).bigEndian)
    address.sin_addr.s_addr = in_addr_t(UInt32(0x7F00_0001).bigEndian)
    var one: Int32 = 1
    setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
    if var bytes = sendBufferBytes { setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &bytes, socklen_t(MemoryLayout<Int32>.size)) }
    var timeout = timeval(tv_sec: timeoutSeconds, tv_usec: 0)
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
    let code = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
    guard code == 0 else {
      Foundation.close(socket)
      throw .cannotConnect
    }
  }

  deinit { Foundation.close(socket) }

  /// Sends one request and waits for its whole answer.
  public func exchange(
    _ method: String, _ path: String, headers: [String: String] = [:], body: [UInt8] = []
  ) throws(LoopbackError) -> LoopbackAnswer {
    try send(method, path, headers: headers, body: body)
    return try receive(hasBody: method != "HEAD")
  }

  /// Sends a request and returns; `declaredLength` may lie about the body.
  public func send(
    _ method: String, _ path: String, headers: [String: String] = [:], body: [UInt8] = [], declaredLength: Int? = nil
  ) throws(LoopbackError) {
    var head = "\(method) \(path) HTTP/1.1\r\n"
    if headers["Host"] == nil { head += "Host: 127.0.0.1:\(port)\r\n" }
    for (name, value) in headers { head += "\(name): \(value)\r\n" }
    if !body.isEmpty || declaredLength != nil || (method != "GET" && method != "HEAD") {
      head += "Content-Length: \(declaredLength ?? body.count)\r\n"
    }
    try write(Array((head + "\r\n").utf8) + body)
  }

  /// Writes bytes as they are.
  public func write(_ bytes: [UInt8]) throws(LoopbackError) {
    var sent = 0
    while sent < bytes.count {
      let count = bytes.withUnsafeBytes { Foundation.send(socket, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL)) }
      guard count > 0 else { throw .cut }
      sent += count
    }
  }

  /// Waits for the next answer.
  public func receive(hasBody: Bool = true) throws(LoopbackError) -> LoopbackAnswer {
    var searched = 0
    var end = Self.headEnd(in: pending, from: 0)
    while end == nil {
      searched = max(0, pending.count - 3)
      try readMore()
      end = Self.headEnd(in: pending, from: searched)
    }
    guard let end else { throw .malformed }
    let (status, headers) = try Self.head(pending[..<(end - 4)])
    let hasBody = hasBody && status != 204 && status != 304
    let length = hasBody ? headers["content-length"].flatMap { Int($0) } ?? 0 : 0
    let head = Array(pending[..<end])
    let ready = min(length, pending.count - end)
    var isCut = false
    let body = [UInt8](unsafeUninitializedCapacity: length) { target, count in
      count = pending[end..<(end + ready)].withUnsafeBytes { part in
        UnsafeMutableRawBufferPointer(target).copyMemory(from: part)
        return part.count
      }
      while count < length, !isCut {
        let read = recv(socket, target.baseAddress! + count, length - count, 0)
        if read > 0 { count += read } else { isCut = true }
      }
    }
    if isCut { throw .cut }
    pending.removeFirst(end + ready)
    return LoopbackAnswer(status: status, headers: headers, body: body, head: head)
  }

  /// Everything that arrives until `isEnough` says so; for streams.
  public func receive(until isEnough: ([UInt8]) -> Bool) throws(LoopbackError) -> [UInt8] {
    while !isEnough(pending) { try readMore() }
    defer { pending = [] }
    return pending
  }

  private static func headEnd(in bytes: [UInt8], from start: Int) -> Int? {
    var index = start
    while index + 3 < bytes.count {
      if bytes[index] == 13, bytes[index + 1] == 10, bytes[index + 2] == 13, bytes[index + 3] == 10 { return index + 4 }
      index += 1
    }
    return nil
  }

  /// Status and headers, byte by byte: what a client spends here is counted against the server that a benchmark measures.
  private static func head(_ bytes: ArraySlice<UInt8>) throws(LoopbackError) -> (Int, [String: String]) {
    var lines = bytes.split(separator: 10).makeIterator()
    guard let first = lines.next(), first.count >= 12, let status = Int(String(decoding: first.dropFirst(9).prefix(3), as: UTF8.self)) else {
      throw .malformed
    }
    var headers: [String: String] = [:]
    while let line = lines.next() {
      guard let colon = line.firstIndex(of: 58) else { throw .malformed }
      let name = line[..<colon].map { $0 >= 65 && $0 <= 90 ? $0 | 32 : $0 }
      var value = line[(colon + 1)...]
      while let byte = value.first, byte == 32 || byte == 9 { value.removeFirst() }
      while let byte = value.last, byte == 32 || byte == 9 || byte == 13 { value.removeLast() }
      headers[String(decoding: name, as: UTF8.self)] = String(decoding: value, as: UTF8.self)
    }
    return (status, headers)
  }

  private func readMore() throws(LoopbackError) {
    let count = withUnsafeTemporaryAllocation(byteCount: 1 << 14, alignment: 16) { buffer in
      let count = recv(socket, buffer.baseAddress!, buffer.count, 0)
      if count > 0 { pending.append(contentsOf: UnsafeRawBufferPointer(rebasing: buffer[..<count])) }
      return count
    }
    guard count > 0 else { throw .cut }
  }
}
