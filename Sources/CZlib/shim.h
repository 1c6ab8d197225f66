// SPDX-License-Identifier: Apache-2.0
// What the server uses of zlib.
#include <zlib.h>
