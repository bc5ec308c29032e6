/// The HTTP service: OpenAI's API over long contexts, sessions, metrics.
@NullMarked
package io.spillway.server;

import org.jspecify.annotations.NullMarked;
