/// YAML files bound to records, with errors that show file, line, column and the nearest known key.
@NullMarked
package io.spillway.platform.yaml;

import org.jspecify.annotations.NullMarked;
