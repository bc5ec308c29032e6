/// What a person sees of results: tables, plots and pages.
@NullMarked
package io.spillway.report;

import org.jspecify.annotations.NullMarked;
