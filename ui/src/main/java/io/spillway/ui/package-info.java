/// The web page: one server, one small interface for each view, static files under `/ui`.
@NullMarked
package io.spillway.ui;

import org.jspecify.annotations.NullMarked;
