package io.spillway.simulator.predict;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.platform.Seeds;
import io.spillway.simulator.system.Direction;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

/// The fast predictors say what the plain ones say, on streams with wrong paths, jumps and targets
/// that were not known.
class PlainTwinTest {
  /// @param place of the address in 100 branches
  private record InFlight(int slot, int place, boolean conditional, boolean said) {}

  private static void agree(
      DirectionPredictor fast, DirectionPredictor plain, int branches, String name) {
    RandomGenerator random = new Seeds(7).stream(name);
    Deque<InFlight> flight = new ArrayDeque<>(); // oldest first
    int slot = 0;
    for (int n = 0; n < branches; n++) {
      int place = random.nextInt(4) == 0 ? random.nextInt(100) : n % 13;
      slot = slot + 1 & DirectionPredictor.SLOTS - 1;
      if (random.nextInt(12) == 0) {
        fast.unconditional(slot);
        plain.unconditional(slot);
        flight.addLast(new InFlight(slot, place, false, true));
      } else {
        boolean said = fast.predict(pc(place), slot);
        assertThat(said).as("branch %d", n).isEqualTo(plain.predict(pc(place), slot));
        if (said && random.nextInt(20) == 0) {
          fast.clear(pc(place));
          plain.clear(pc(place));
          said = false;
        }
        flight.addLast(new InFlight(slot, place, true, said));
      }
      while (flight.size() > random.nextInt(12)) {
        retire(fast, plain, flight, n, random);
      }
    }
  }

  /// The oldest branch turns out; if it was predicted wrong, all younger ones are taken back.
  private static void retire(
      DirectionPredictor fast,
      DirectionPredictor plain,
      Deque<InFlight> flight,
      int n,
      RandomGenerator random) {
    InFlight oldest = flight.removeFirst();
    boolean truth =
        !oldest.conditional()
            || (random.nextInt(10) == 0
                ? random.nextBoolean()
                : (n / 5 + oldest.place()) % (2 + oldest.place() % 5) == 0);
    if (truth != oldest.said()) {
      while (!flight.isEmpty()) {
        InFlight young = flight.removeLast();
        fast.undo(pc(young.place()), young.slot());
        plain.undo(pc(young.place()), young.slot());
      }
      fast.repair(pc(oldest.place()), oldest.slot(), truth);
      plain.repair(pc(oldest.place()), oldest.slot(), truth);
    }
    fast.train(pc(oldest.place()), oldest.slot(), truth);
    plain.train(pc(oldest.place()), oldest.slot(), truth);
  }

  private static long pc(int place) {
    return 0x10_4000L + 4L * place * (1 + place % 7);
  }

  @Test
  void tournament() {
    for (Direction.Tournament settings :
        new Direction.Tournament[] {
          new Direction.Tournament(16, 32, 64, 128, 2, 2, 2),
          new Direction.Tournament(64, 16, 256, 64, 3, 1, 4),
          new Direction.Tournament(2048, 2048, 8192, 8192, 2, 2, 2)
        }) {
      agree(
          new Tournament(settings, 2),
          new PlainPredictors.Tournament(settings, 2),
          30_000,
          "tournament");
    }
  }

  @Test
  void tage() {
    for (Direction.Tage settings :
        new Direction.Tage[] {
          new Direction.Tage(4, 32, 6, 3, 40, 32),
          new Direction.Tage(1, 16, 4, 7, 30, 16),
          new Direction.Tage(7, 1024, 9, 5, 130, 8192)
        }) {
      agree(new Tage(settings, 2), new PlainPredictors.Tage(settings, 2), 12_000, "tage");
    }
  }

  @Test
  void usefulnessFadesAfterAQuarterMillionBranches() {
    Direction.Tage settings = new Direction.Tage(2, 16, 5, 2, 6, 16);
    agree(new Tage(settings, 2), new PlainPredictors.Tage(settings, 2), 300_000, "fading");
  }
}
