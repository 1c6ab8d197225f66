// SPDX-License-Identifier: Apache-2.0
// What the server knows of one request before it reads it: an id for the logs and the address it came from.

import Hummingbird
import Logging
import NIOCore

struct ServerContext: RequestContext {
  var coreContext: CoreRequestContextStorage
  /// The peer's address without its port; what limits on sign-ins count.
  let address: String

  init(source: ApplicationRequestContextSource) {
    coreContext = CoreRequestContextStorage(source: source)
    address = source.channel.remoteAddress?.ipAddress ?? "local"
  }
}
