/// The image service.
@NullMarked
package io.spillway.server.images;

import org.jspecify.annotations.NullMarked;
