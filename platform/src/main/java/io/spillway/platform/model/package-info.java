/// Shapes of models: what a Hugging Face `config.json` says about sizes, and the counts that
/// follow.
@NullMarked
package io.spillway.platform.model;

import org.jspecify.annotations.NullMarked;
