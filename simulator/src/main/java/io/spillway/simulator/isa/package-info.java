/// RV64GC with Zba, Zbb and Zbs: decoding, encoding and printing of instructions.
///
/// [Decoder] turns a word into an immutable [Instruction]; compressed words are expanded, so that
/// nobody else meets them. [Op] holds every static fact of an operation.
@NullMarked
package io.spillway.simulator.isa;

import org.jspecify.annotations.NullMarked;
