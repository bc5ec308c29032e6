/// Commands about this installation rather than about one system.
@NullMarked
package io.spillway.cli.house;

import org.jspecify.annotations.NullMarked;
