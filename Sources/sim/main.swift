// SPDX-License-Identifier: Apache-2.0
// The simulator without the server around it, so that it builds in a minute. `aloft sim` is the same command.
import AloftSimCommand

SimCommand.main()
