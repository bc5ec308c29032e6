/// Starting, watching and ending the ranks of a job, under torch's environment conventions.
@NullMarked
package io.spillway.platform.launch;

import org.jspecify.annotations.NullMarked;
