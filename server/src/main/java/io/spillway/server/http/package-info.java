/// What every service here shares: listening, keys, errors as JSON, server-sent events, counters.
@NullMarked
package io.spillway.server.http;

import org.jspecify.annotations.NullMarked;
