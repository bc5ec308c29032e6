package io.spillway.simulator.predict;

import io.spillway.simulator.system.Direction;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/// The predictors as their sources describe them, in lists and strings: slow, and nothing shared
/// with the fast ones.
final class PlainPredictors {
  private PlainPredictors() {}

  /// Outcomes as `1` and `0`, oldest first.
  private static String last(List<Boolean> outcomes, int count) {
    StringBuilder text = new StringBuilder();
    for (int i = outcomes.size() - count; i < outcomes.size(); i++) {
      text.append(i >= 0 && outcomes.get(i) ? '1' : '0');
    }
    return text.toString();
  }

  private static int log2(int size) {
    return Integer.toBinaryString(size).length() - 1;
  }

  private static int number(String bits) {
    return bits.isEmpty() ? 0 : Integer.parseInt(bits, 2);
  }

  private abstract static class WithHistory extends DirectionPredictor {
    final List<Boolean> history = new ArrayList<>();
    final Map<Integer, List<Boolean>> before = new HashMap<>();

    void remember(int slot, int longest) {
      int from = Math.max(0, history.size() - longest);
      before.put(slot, List.copyOf(history.subList(from, history.size())));
    }

    List<Boolean> before(int slot) {
      return Objects.requireNonNull(before.get(slot));
    }

    void restore(int slot) {
      history.clear();
      history.addAll(before(slot));
    }

    @Override
    void clear(long pc) {
      history.set(history.size() - 1, false);
    }
  }

  /// A counter for each key, from 0 to a bound.
  private static final class Table {
    private final Map<Integer, Integer> counters = new HashMap<>();
    private final int most;

    Table(int bits) {
      most = (1 << bits) - 1;
    }

    boolean upper(int key) {
      return 2 * counters.getOrDefault(key, 0) > most;
    }

    void move(int key, boolean up) {
      int value = counters.getOrDefault(key, 0) + (up ? 1 : -1);
      counters.put(key, Math.clamp(value, 0, most));
    }
  }

  /// Two predictions and a chooser.
  static final class Tournament extends WithHistory {
    private record Votes(boolean isBranch, int pattern, boolean local, boolean global) {}

    private final Direction.Tournament settings;
    private final int shift;
    private final Map<Long, List<Boolean>> localHistory = new HashMap<>();
    private final Table local;
    private final Table global;
    private final Table choice;
    private final Map<Integer, Votes> votes = new HashMap<>();
    private final Map<Integer, List<Boolean>> localBefore = new HashMap<>();

    Tournament(Direction.Tournament settings, int shift) {
      this.settings = settings;
      this.shift = shift;
      local = new Table(settings.localBits());
      global = new Table(settings.globalBits());
      choice = new Table(settings.choiceBits());
    }

    private Votes votes(int slot) {
      return Objects.requireNonNull(votes.get(slot));
    }

    private List<Boolean> own(long pc) {
      return localHistory.computeIfAbsent(
          (pc >>> shift) % settings.localHistories(), k -> new ArrayList<>());
    }

    private int recent(List<Boolean> outcomes, int size) {
      return number(last(outcomes, log2(size)));
    }

    @Override
    boolean predict(long pc, int slot) {
      remember(slot, 30);
      localBefore.put(slot, List.copyOf(own(pc)));
      int pattern = recent(own(pc), settings.localCounters());
      boolean byLocal = local.upper(pattern);
      boolean byGlobal = global.upper(recent(history, settings.globalCounters()));
      votes.put(slot, new Votes(true, pattern, byLocal, byGlobal));
      boolean taken = choice.upper(recent(history, settings.choiceCounters())) ? byGlobal : byLocal;
      history.add(taken);
      own(pc).add(taken);
      return taken;
    }

    @Override
    void unconditional(int slot) {
      remember(slot, 30);
      votes.put(slot, new Votes(false, 0, true, true));
      history.add(true);
    }

    @Override
    void clear(long pc) {
      super.clear(pc);
      own(pc).set(own(pc).size() - 1, false);
    }

    @Override
    void repair(long pc, int slot, boolean taken) {
      undo(pc, slot);
      history.add(taken);
      if (votes(slot).isBranch()) {
        own(pc).add(taken);
      }
    }

    @Override
    void undo(long pc, int slot) {
      restore(slot);
      if (votes(slot).isBranch()) {
        own(pc).clear();
        own(pc).addAll(Objects.requireNonNull(localBefore.get(slot)));
      }
    }

    @Override
    void train(long pc, int slot, boolean taken) {
      Votes v = votes(slot);
      if (v.local() != v.global()) {
        choice.move(recent(before(slot), settings.choiceCounters()), v.global() == taken);
      }
      global.move(recent(before(slot), settings.globalCounters()), taken);
      if (v.isBranch()) {
        local.move(v.pattern(), taken);
      }
    }
  }

  /// Tagged tables over a bimodal one.
  static final class Tage extends WithHistory {
    private static final class Entry {
      int tag;
      int counter;
      int useful;
    }

    private final Direction.Tage settings;
    private final int shift;
    private final Table base = new Table(2);
    private final List<Map<Integer, Entry>> tables = new ArrayList<>();
    private int trained;

    Tage(Direction.Tage settings, int shift) {
      this.settings = settings;
      this.shift = shift;
      for (int i = 0; i < settings.tables(); i++) {
        tables.add(new HashMap<>());
      }
    }

    private int length(int table) {
      double growth = (double) settings.longest() / settings.shortest();
      double share = settings.tables() == 1 ? 0 : (double) table / (settings.tables() - 1);
      return (int) Math.round(settings.shortest() * Math.pow(growth, share));
    }

    /// Pieces of `bits` outcomes, newest first, each read as a number, all of them exclusively
    /// ored.
    private int fold(List<Boolean> outcomes, int bits, int table) {
      String newestFirst = new StringBuilder(last(outcomes, length(table))).reverse().toString();
      int folded = 0;
      for (int i = 0; i < newestFirst.length(); i += bits) {
        folded ^= number(newestFirst.substring(i, Math.min(i + bits, newestFirst.length())));
      }
      return folded;
    }

    private Entry entry(long pc, List<Boolean> outcomes, int table) {
      int bits = log2(settings.entries());
      int address = (int) (pc >>> shift);
      int key = address ^ address >>> (bits - table % bits) ^ fold(outcomes, bits, table);
      return tables
          .get(table)
          .computeIfAbsent(Math.floorMod(key, settings.entries()), k -> new Entry());
    }

    private int tag(long pc, List<Boolean> outcomes, int table) {
      int bits = settings.tagBits();
      int key =
          (int) (pc >>> shift) ^ fold(outcomes, bits, table) ^ 2 * fold(outcomes, bits - 1, table);
      return Math.floorMod(key, 1 << bits);
    }

    private int provider(long pc, List<Boolean> outcomes, int below) {
      int found = -1;
      for (int t = 0; t < below; t++) {
        if (entry(pc, outcomes, t).tag == tag(pc, outcomes, t)) {
          found = t;
        }
      }
      return found;
    }

    private int slotOfBase(long pc) {
      return (int) ((pc >>> shift) % settings.base());
    }

    private boolean vote(long pc, List<Boolean> outcomes, int table) {
      return table < 0 ? base.upper(slotOfBase(pc)) : entry(pc, outcomes, table).counter >= 0;
    }

    @Override
    boolean predict(long pc, int slot) {
      remember(slot, settings.longest());
      boolean taken = vote(pc, history, provider(pc, history, settings.tables()));
      history.add(taken);
      return taken;
    }

    @Override
    void unconditional(int slot) {
      remember(slot, settings.longest());
      history.add(true);
    }

    @Override
    void repair(long pc, int slot, boolean taken) {
      restore(slot);
      history.add(taken);
    }

    @Override
    void undo(long pc, int slot) {
      restore(slot);
    }

    @Override
    void train(long pc, int slot, boolean taken) {
      List<Boolean> outcomes = before(slot);
      int table = provider(pc, outcomes, settings.tables());
      boolean said = vote(pc, outcomes, table);
      if (table < 0) {
        base.move(slotOfBase(pc), taken);
      } else {
        Entry entry = entry(pc, outcomes, table);
        boolean other = vote(pc, outcomes, provider(pc, outcomes, table));
        entry.counter = Math.clamp(entry.counter + (taken ? 1 : -1), -4, 3);
        if (said != other) {
          entry.useful = Math.clamp(entry.useful + (said == taken ? 1 : -1), 0, 3);
        }
      }
      if (said != taken) {
        allocate(pc, outcomes, table + 1, taken);
      }
      if (++trained % 262_144 == 0) {
        tables.forEach(t -> t.values().forEach(e -> e.useful /= 2));
      }
    }

    /// The first longer table whose entry is of no use takes the branch; if there is none, all of
    /// them lose some of their use.
    private void allocate(long pc, List<Boolean> outcomes, int from, boolean taken) {
      List<Entry> longer = new ArrayList<>();
      for (int t = from; t < settings.tables(); t++) {
        Entry entry = entry(pc, outcomes, t);
        if (entry.useful == 0) {
          entry.tag = tag(pc, outcomes, t);
          entry.counter = taken ? 0 : -1;
          return;
        }
        longer.add(entry);
      }
      longer.forEach(e -> e.useful--);
    }
  }
}
