package io.spillway.simulator.timing;

import io.spillway.simulator.isa.Instruction;
import io.spillway.simulator.isa.OpClass;
import org.jspecify.annotations.Nullable;

/// One instruction with all that a core's timing asks about it, looked up once.
///
/// Absent registers have numbers of their own, so that no case needs a test: [#NO_SOURCE] is ready
/// from the start and never written, [#NO_DESTINATION] is written and never read.
final class TimedInstruction {
  static final int NO_SOURCE = 64;
  static final int NO_DESTINATION = 65;

  /// Registers with the two that stand for none.
  static final int REGISTERS = 66;

  /// What the timing models tell apart.
  enum Kind {
    PLAIN,
    LOAD,
    STORE,
    ATOMIC,
    CONTROL,
    SYSTEM,
    FENCE
  }

  final Instruction in;

  /// The instruction behind it in memory, once that has been met.
  @Nullable TimedInstruction following;

  /// The target of a direct branch, once that has been met.
  @Nullable TimedInstruction target;

  final OpClass opClass;
  final Kind kind;
  final boolean control;

  /// Whether it branches to an address that it holds itself.
  final boolean direct;

  final boolean memory;

  /// Whether it may change what runs next or the code itself.
  final boolean interrupts;

  final int length;
  final int bytes;
  final int destination;
  final int source1;
  final int source2;
  final int source3;
  final int unit;
  final int firstUnit;
  final int endUnit;
  final int latency;
  final int interval;
  final int lead;
  final int assumed;

  TimedInstruction(Instruction in, UnitTable units) {
    this.in = in;
    this.opClass = in.opClass();
    this.control = in.isControl();
    this.direct = control && opClass != OpClass.INDIRECT_JUMP;
    this.memory = in.isMemory();
    this.kind = control ? Kind.CONTROL : kind(opClass);
    this.interrupts = kind == Kind.SYSTEM || kind == Kind.FENCE;
    this.length = in.length();
    this.bytes = in.accessBytes();
    this.destination = in.destination() < 0 ? NO_DESTINATION : in.destination();
    this.source1 = source(in.source1());
    this.source2 = source(in.source2());
    this.source3 = source(in.source3());
    int k = opClass.ordinal();
    this.unit = units.kind[k];
    this.firstUnit = units.first[k];
    this.endUnit = units.first[k] + units.count[k];
    this.latency = units.latency[k];
    this.interval = units.interval[k];
    this.lead = units.lead[k];
    this.assumed = units.assumed[k];
  }

  private static Kind kind(OpClass c) {
    return switch (c) {
      case LOAD -> Kind.LOAD;
      case STORE -> Kind.STORE;
      case ATOMIC -> Kind.ATOMIC;
      case BRANCH, JUMP, INDIRECT_JUMP -> Kind.CONTROL;
      case SYSTEM -> Kind.SYSTEM;
      case FENCE -> Kind.FENCE;
      case INTEGER_ALU,
          INTEGER_MULTIPLY,
          INTEGER_DIVIDE,
          FLOAT_ADD,
          FLOAT_COMPARE,
          FLOAT_CONVERT,
          FLOAT_MULTIPLY,
          FLOAT_FMA,
          FLOAT_DIVIDE,
          FLOAT_SQRT,
          FLOAT_MISC ->
          Kind.PLAIN;
    };
  }

  private static int source(int register) {
    return register < 0 ? NO_SOURCE : register;
  }
}
