/// One simulated machine: memory, hardware threads, a loaded program, the Linux calls it makes, and
/// the interpreter that defines what every instruction does.
///
/// **For timing models.** Execution is functional first: a model calls [Interpreter#step(Hart)]
/// once for each instruction it fetches on the right path. The call executes exactly one
/// instruction, allocates nothing, and leaves what happened in the [Hart]:
///
/// | field | meaning |
/// |---|---|
/// | `hart.lastPc` | address of the instruction just executed |
/// | `hart.instruction` | the decoded [io.spillway.simulator.isa.Instruction] (not after `step` with an instruction) |
/// | `hart.pc` | address of the next instruction |
/// | `hart.taken` | whether a branch or jump went elsewhere than to the next word |
/// | `hart.address` | effective address, valid if `instruction.isMemory()` |
/// | `hart.retired` | instructions executed by this hart so far |
///
/// `instruction.accessBytes()` is the size of the access. Wrong-path fetches can be decoded without
/// being executed through [Machine#decode(long)], which returns null where nothing can be fetched.
///
/// ```java
/// Machine machine = Machine.load(ElfImage.read(path), ProcessOptions.of(path.toString()));
/// Interpreter interpreter = new Interpreter(machine);
/// Hart hart = machine.hart();
/// while (!machine.isFinished()) {
///   interpreter.step(hart);
///   model.fetch(hart);
/// }
/// ```
///
/// With threads, [Machine#harts()] lists the living harts; a hart whose `isRunnable()` is false
/// waits in a futex and must not be stepped.
@NullMarked
package io.spillway.simulator.machine;

import org.jspecify.annotations.NullMarked;
