package io.spillway.simulator.functional;

import static java.lang.constant.ConstantDescs.CD_Object;
import static java.lang.constant.ConstantDescs.CD_boolean;
import static java.lang.constant.ConstantDescs.CD_double;
import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;
import static java.lang.constant.ConstantDescs.INIT_NAME;
import static java.lang.constant.ConstantDescs.MTD_void;

import io.spillway.simulator.isa.Decoder;
import io.spillway.simulator.isa.Instruction;
import io.spillway.simulator.machine.FloatOps;
import io.spillway.simulator.machine.FloatStatus;
import io.spillway.simulator.machine.Hart;
import io.spillway.simulator.machine.Machine;
import java.lang.classfile.ClassFile;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.classfile.instruction.SwitchCase;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.lang.invoke.MethodHandles;
import java.lang.reflect.AccessFlag;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// Translates a [Region] to a method: registers become local variables, blocks become labels.
///
/// Between two looks at the budget no block is executed twice, since every jump to a block that was
/// emitted before looks at it; so the budget, which is at least the region's size, is never
/// overdrawn. Registers are written through to their file, so that a way out has nothing to save; a
/// memory access that is not allowed leaves the method with the state before its instruction, which
/// the interpreter then executes.
final class RegionCompiler {
  /// HotSpot compiles no method above this many bytes.
  private static final int HUGE_METHOD = 8000;

  // larger regions leave fewer jumps between regions, but HotSpot runs out of registers in them
  private static final int FIRST_LIMIT = 2000;
  private static final int SMALLEST_LIMIT = 500;

  private static final ClassDesc SELF =
      ClassDesc.of("io.spillway.simulator.functional.TranslatedRegion");
  private static final ClassDesc CODE = desc(RegionCode.class);
  static final ClassDesc HART = desc(Hart.class);
  static final ClassDesc STATUS = desc(FloatStatus.class);
  static final ClassDesc FLOAT_OPS = desc(FloatOps.class);
  private static final ClassDesc REGISTERS = desc(RegisterFile.class);
  private static final MethodTypeDesc RUN =
      MethodTypeDesc.of(CD_int, HART, REGISTERS, STATUS, CD_long, CD_int, CD_int);

  /// Where [RegionCode#run]'s parameters and our own variables lie.
  static final int HART_SLOT = 1;

  static final int FILE_SLOT = 2;
  static final int STATUS_SLOT = 3;
  static final int BASE_SLOT = 4;
  static final int LEFT_SLOT = 6;
  static final int ENTRY_SLOT = 7;
  static final int PC_SLOT = 8;
  static final int TEMPORARY_SLOT = 10;
  static final int RESULT_SLOT = 12;
  static final int FIRST_REGISTER_SLOT = 13;

  private final Region region;
  private final CodeBuilder code;
  private final RegisterPlan plan;
  private final Translator translator;
  private final Map<Long, Label> labels = new HashMap<>();
  private final Map<Long, Integer> order = new HashMap<>();
  private final Map<Long, Label> exits = new HashMap<>();
  private final Map<Long, Label> interpreterExits = new HashMap<>();
  private final List<Fault> faults = new ArrayList<>();
  private final Label exit;
  private final Label interpret;

  /// Where a memory access that is not allowed leaves its block after `done` instructions.
  private record Fault(Label at, long pc, int done) {}

  private RegionCompiler(Region region, RegisterPlan plan, CodeBuilder code) {
    this.region = region;
    this.code = code;
    this.plan = plan;
    this.translator = new Translator(code, plan);
    this.exit = code.newLabel();
    this.interpret = code.newLabel();
  }

  static ClassDesc desc(Class<?> type) {
    return ClassDesc.ofDescriptor(type.descriptorString());
  }

  /// Translates the region around `entry`.
  ///
  /// @param careful whether float registers may hold either precision and the float status may be
  ///   any; else the code refuses where it is otherwise
  /// @return null if there is nothing to translate
  static @Nullable Variant compile(Machine machine, long entry, boolean careful) {
    for (int limit = FIRST_LIMIT; limit >= SMALLEST_LIMIT; limit = limit * 2 / 3) {
      Region region = Region.discover(machine, entry, limit);
      if (region == null) {
        return null;
      }
      byte[] bytes = build(region, RegisterPlan.of(region, careful));
      if (codeLength(bytes) < HUGE_METHOD) {
        return new Variant(define(bytes), region.size(), region.entries());
      }
    }
    return null;
  }

  /// Loads and links what takes milliseconds of a first translation, by translating a loop of four
  /// instructions that nobody runs.
  static void prepare() {
    List<Instruction> loop = new ArrayList<>();
    // ld a0, (a1); addi a0, a0, 1; sd a0, (a1); bne a0, a1, the first
    for (int word : new int[] {0x0005b503, 0x00150513, 0x00a5b023, 0xfeb51ae3}) {
      loop.add(Objects.requireNonNull(Decoder.decode(word)));
    }
    long pc = 0x1000;
    TreeMap<Long, Region.Block> blocks = new TreeMap<>();
    blocks.put(pc, new Region.Block(pc, loop, pc + 4L * loop.size(), false));
    Region region = new Region(pc, blocks, new TreeSet<>(), loop.size());
    codeLength(build(region, RegisterPlan.of(region, false)));
  }

  private static int codeLength(byte[] bytes) {
    return ClassFile.of().parse(bytes).methods().stream()
        .filter(m -> m.methodName().equalsString("run"))
        .flatMap(m -> m.code().stream())
        .mapToInt(c -> ((java.lang.classfile.attribute.CodeAttribute) c).codeLength())
        .findFirst()
        .orElseThrow();
  }

  private static RegionCode define(byte[] bytes) {
    try {
      return (RegionCode)
          MethodHandles.lookup()
              .defineHiddenClass(bytes, true)
              .lookupClass()
              .getDeclaredConstructor()
              .newInstance();
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("generated code was refused", e);
    }
  }

  private static byte[] build(Region region, RegisterPlan plan) {
    return ClassFile.of()
        .build(
            SELF,
            type -> {
              type.withFlags(AccessFlag.FINAL, AccessFlag.SUPER);
              type.withInterfaceSymbols(CODE);
              type.withMethodBody(
                  INIT_NAME,
                  MTD_void,
                  ClassFile.ACC_PUBLIC,
                  c -> c.aload(0).invokespecial(CD_Object, INIT_NAME, MTD_void).return_());
              type.withMethodBody(
                  "run",
                  RUN,
                  ClassFile.ACC_PUBLIC,
                  c -> new RegionCompiler(region, plan, c).method());
            });
  }

  private void method() {
    List<Region.Block> blocks = new ArrayList<>(region.blocks().values());
    for (int i = 0; i < blocks.size(); i++) {
      labels.put(blocks.get(i).pc(), code.newLabel());
      order.put(blocks.get(i).pc(), i);
    }
    entry();
    start();
    for (int i = 0; i < blocks.size(); i++) {
      block(blocks.get(i), i);
    }
    faults.forEach(this::faultStub);
    exits.forEach((pc, at) -> exitStub(pc, at, RegionCode.DONE));
    interpreterExits.forEach((pc, at) -> exitStub(pc, at, RegionCode.INTERPRET));
    exit();
  }

  /// Goes to the entry that was asked for.
  private void start() {
    List<Long> entries = region.entries();
    List<SwitchCase> cases = new ArrayList<>();
    for (int i = 1; i < entries.size(); i++) {
      cases.add(SwitchCase.of(i, label(entries.get(i))));
    }
    if (cases.isEmpty()) {
      code.goto_(label(region.entry()));
    } else {
      code.iload(ENTRY_SLOT).tableswitch(1, entries.size() - 1, label(region.entry()), cases);
    }
  }

  private Label label(long pc) {
    return Objects.requireNonNull(labels.get(pc));
  }

  private Label fault(long pc, int done) {
    Label at = code.newLabel();
    faults.add(new Fault(at, pc, done));
    return at;
  }

  private void faultStub(Fault fault) {
    code.labelBinding(fault.at);
    code.loadConstant(fault.pc).lstore(PC_SLOT);
    code.iinc(LEFT_SLOT, -fault.done);
    code.goto_(interpret);
  }

  private void exitStub(long pc, Label at, int result) {
    code.labelBinding(at);
    code.loadConstant(pc).lstore(PC_SLOT);
    code.goto_(result == RegionCode.DONE ? exit : interpret);
  }

  /// Refuses if a single-precision register is not boxed or the float status is not the one
  /// assumed.
  private void entry() {
    // once HotSpot knows that there is a file, it asks no more
    read(1).pop2();
    code.iconst_0().istore(RESULT_SLOT);
    Label refuse = code.newLabel();
    boolean refuses = false;
    for (int r = 32; r < 64; r++) {
      if (plan.isUsed(r) && plan.kind(r) == RegisterPlan.Kind.SINGLE) {
        refuses = true;
        bits(r).bipush(32).lshr().loadConstant(-1L).lcmp().ifne(refuse);
      }
    }
    if (plan.isSettled()) {
      refuses = true;
      code.aload(STATUS_SLOT).invokevirtual(STATUS, "isSettled", MethodTypeDesc.of(CD_boolean));
      code.ifeq(refuse);
    } else if (plan.usesRounding()) {
      // an invalid dynamic rounding mode makes instructions illegal: leave that to the interpreter
      Label valid = code.newLabel();
      code.aload(STATUS_SLOT).invokevirtual(STATUS, "mode", MethodTypeDesc.of(CD_int));
      code.iconst_5().if_icmplt(valid);
      leave(RegionCode.INTERPRET);
      code.labelBinding(valid);
    }
    if (refuses) {
      Label ready = code.newLabel();
      code.goto_(ready);
      code.labelBinding(refuse);
      leave(RegionCode.REFUSED);
      code.labelBinding(ready);
    }
  }

  private void leave(int result) {
    code.iload(LEFT_SLOT).iconst_2().ishl().loadConstant(result).ior().ireturn();
  }

  private CodeBuilder read(int register) {
    return code.aload(FILE_SLOT).getfield(REGISTERS, RegisterFile.field(register), type(register));
  }

  private static ClassDesc type(int register) {
    return register < 32 ? CD_long : CD_double;
  }

  /// Pushes the 64 bits that a register has in the file.
  private CodeBuilder bits(int register) {
    read(register);
    return register < 32
        ? code
        : code.invokestatic(
            desc(Double.class), "doubleToRawLongBits", MethodTypeDesc.of(CD_long, CD_double));
  }

  /// Takes a register from its field to its variable.
  private void load(int register) {
    if (register >= 32 && plan.kind(register) == RegisterPlan.Kind.TWICE) {
      read(register);
      plan.storeDouble(code, register);
    } else {
      bits(register);
      plan.storeBits(code, register);
    }
  }

  /// Takes the registers that a block reads before it writes them.
  private void load(Region.Block block) {
    boolean[] known = new boolean[64];
    for (Instruction in : block.instructions()) {
      for (int register : new int[] {in.source1(), in.source2(), in.source3()}) {
        if (register > 0 && !known[register]) {
          known[register] = true;
          load(register);
        }
      }
      if (in.destination() > 0) {
        known[in.destination()] = true;
      }
    }
  }

  /// Writes a register through to its field.
  private void write(int register) {
    if (register > 0) {
      code.aload(FILE_SLOT);
      if (register < 32) {
        plan.loadBits(code, register);
      } else {
        plan.loadDouble(code, register);
      }
      code.putfield(REGISTERS, RegisterFile.field(register), type(register));
    }
  }

  private void exit() {
    code.labelBinding(interpret);
    code.iconst_1().istore(RESULT_SLOT);
    code.labelBinding(exit);
    code.aload(HART_SLOT).lload(PC_SLOT).putfield(HART, "pc", CD_long);
    code.iload(LEFT_SLOT).iconst_2().ishl().iload(RESULT_SLOT).ior().ireturn();
  }

  private void block(Region.Block block, int index) {
    code.labelBinding(label(block.pc()));
    load(block);
    int count = block.instructions().size();
    int body = block.endsInControl() ? count - 1 : count;
    List<Instruction> instructions = block.instructions();
    long[] pcs = new long[count + 1];
    pcs[0] = block.pc();
    for (int i = 0; i < count; i++) {
      pcs[i + 1] = pcs[i] + instructions.get(i).length();
    }
    Map<Integer, Segment> segments = new HashMap<>();
    Segment.of(instructions.subList(0, body)).forEach(s -> segments.put(s.start(), s));
    for (int i = 0; i < body; i++) {
      Instruction in = instructions.get(i);
      Segment segment = segments.get(i);
      if (segment != null && segment.hasAccesses()) {
        translator.check(segment, instructions, k -> pcs[k], fault(pcs[i], i));
      }
      translator.emit(in, pcs[i]);
      if (isSeen(instructions, segments, i)) {
        write(in.destination());
      }
    }
    code.iinc(LEFT_SLOT, -count);
    if (block.endsInControl()) {
      control(block.last(), block.lastPc(), block.next(), index);
    } else if (block.interpretNext()) {
      code.goto_w(interpreterExits.computeIfAbsent(block.next(), _ -> code.newLabel()));
    } else {
      jump(block.next(), index);
    }
  }

  /// Whether anything outside the block can see what instruction `i` writes: not if another writes
  /// the same register before the next segment or the block's end.
  private static boolean isSeen(List<Instruction> block, Map<Integer, Segment> segments, int i) {
    int register = block.get(i).destination();
    for (int j = i + 1; j < block.size(); j++) {
      if (segments.containsKey(j)) {
        return true;
      }
      if (block.get(j).destination() == register) {
        return false;
      }
    }
    return true;
  }

  private void control(Instruction in, long pc, long next, int index) {
    switch (in.opClass()) {
      case BRANCH -> {
        Label taken = code.newLabel();
        translator.branch(in, taken);
        jump(next, index);
        code.labelBinding(taken);
        jump(pc + in.imm(), index);
      }
      case JUMP -> {
        translator.constant(in.rd(), next);
        write(in.destination());
        jump(pc + in.imm(), index);
      }
      default -> {
        translator.indirectTarget(in, TEMPORARY_SLOT);
        translator.constant(in.rd(), next);
        write(in.destination());
        indirect(index);
      }
    }
  }

  private void jump(long target, int index) {
    Integer to = order.get(target);
    if (to == null) {
      code.goto_(exits.computeIfAbsent(target, _ -> code.newLabel()));
    } else if (to <= index) {
      Label enough = label(target);
      code.iload(LEFT_SLOT).loadConstant(region.size());
      code.if_icmpge(enough);
      code.goto_(exits.computeIfAbsent(target, _ -> code.newLabel()));
    } else {
      code.goto_(label(target));
    }
  }

  /// Goes on within the region if the target is one of its return sites.
  private void indirect(int index) {
    for (long site : region.returnSites()) {
      Integer to = order.get(site);
      if (to == null) {
        continue;
      }
      Label other = code.newLabel();
      code.lload(TEMPORARY_SLOT).loadConstant(site).lcmp().ifne(other);
      jump(site, index);
      code.labelBinding(other);
    }
    code.lload(TEMPORARY_SLOT).lstore(PC_SLOT);
    code.goto_w(exit);
  }
}
