package io.spillway.diffusion.parallel;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.diffusion.Strategy;
import io.spillway.diffusion.Strategy.Sync;
import io.spillway.diffusion.model.Denoiser;
import io.spillway.platform.launch.RankEnvironment;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Torch;
import io.spillway.tensor.group.GroupBackend;
import io.spillway.tensor.group.GroupOptions;
import io.spillway.tensor.group.ProcessGroup;
import java.io.IOException;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Every strategy over Gloo with 2, 4 and 8 ranks (threads of this process, each with a group of
/// its own over TCP): images are those of one device or of ranks that copy memory, and the bytes
/// that the process group counts are those of the formula.
@Timeout(900)
final class GlooStrategiesTest {
  private static final int STEPS = 4;
  private static final Strategy DISTRIFUSION =
      new Strategy.DistriFusion(Sync.CORRECTED_ASYNC_GN, false);

  @BeforeAll
  static void oneThread() {
    Torch.threads(1);
  }

  /// One job and how its images are judged.
  ///
  /// @param exactly whether they must equal one device's
  private record Case(
      Denoiser model, Strategy strategy, boolean split, int warmup, boolean exactly) {
    boolean possible(int ranks) {
      try {
        Rig.job(strategy, split, warmup, STEPS).check(model, ranks);
        return true;
      } catch (io.spillway.platform.SpillwayException e) {
        return false;
      }
    }
  }

  private static List<Case> cases(int n, Denoiser dit, Denoiser unet) {
    List<Case> cases = new ArrayList<>();
    for (Denoiser model : List.of(dit, unet)) {
      for (Strategy exact :
          List.of(
              new Strategy.SequenceParallel(n, 1),
              new Strategy.SequenceParallel(1, n),
              new Strategy.SequenceParallel(2, n / 2),
              new Strategy.DistriFusion(Sync.FULL_SYNC, false),
              new Strategy.TensorParallel())) {
        cases.add(new Case(model, exact, false, 0, true));
      }
      for (Strategy stale :
          List.of(
              DISTRIFUSION,
              new Strategy.DistriFusion(Sync.STALE_GN, true),
              new Strategy.Pcpp(0.3, 0, false),
              new Strategy.Pcpp(0.3, 4, true),
              new Strategy.Pcpp(0, 3, false),
              new Strategy.Turns(0.3))) {
        cases.add(new Case(model, stale, false, STEPS, true)); // every step synchronous
        cases.add(new Case(model, stale, false, 1, false));
      }
      cases.add(new Case(model, new Strategy.NaivePatches(), false, 0, false));
      cases.add(new Case(model, new Strategy.PipeFusion(4), false, STEPS, true));
      cases.add(new Case(model, new Strategy.PipeFusion(4), false, 1, false));
      // half of the ranks for each branch of guidance
      cases.add(new Case(model, new Strategy.SequenceParallel(n / 2, 1), true, 0, true));
      cases.add(new Case(model, new Strategy.SequenceParallel(1, n / 2), true, 0, true));
      cases.add(new Case(model, new Strategy.TensorParallel(), true, 0, true));
      cases.add(new Case(model, DISTRIFUSION, true, 1, false));
      cases.add(new Case(model, new Strategy.Pcpp(0.3, 4, true), true, 1, false));
      cases.add(new Case(model, new Strategy.PipeFusion(4), true, STEPS, true));
      cases.add(new Case(model, new Strategy.NaivePatches(), true, 0, false));
    }
    return cases.stream().filter(c -> c.possible(n)).toList();
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 4, 8})
  void imagesAndBytesAreRight(int n) throws Exception {
    Denoiser dit = Rig.dit();
    Denoiser unet = Rig.unet();
    List<Case> cases = cases(n, dit, unet);
    assertThat(cases).hasSizeGreaterThan(30);
    List<List<RankRenderer.Outcome>> all = overGloo(n, cases);
    for (int i = 0; i < cases.size(); i++) {
      Case c = cases.get(i);
      Job job = Rig.job(c.strategy, c.split, c.warmup, STEPS);
      float[] expected =
          c.exactly
              ? Rig.render(c.model, Rig.job(new Strategy.Single(), false, 0, STEPS), 1)
                  .getFirst()
                  .image()
              : Rig.render(c.model, job, n).getFirst().image();
      long sent = 0;
      long received = 0;
      for (int r = 0; r < n; r++) {
        RankRenderer.Outcome outcome = all.get(r).get(i);
        assertThat(Rig.distance(outcome.image(), expected))
            .as("%s, rank %d", c, r)
            .isLessThan(1e-4);
        sent += outcome.sent();
        received += outcome.received();
        if (!c.split && c.warmup < STEPS && !(c.strategy instanceof Strategy.PipeFusion)) {
          assertThat(outcome.displacedReceived())
              .as("%s, bytes of rank %d", c, r)
              .isEqualTo(
                  new WireBytes(c.strategy, n, 4, 2, 4)
                      .received(c.model.sites(Rig.ROWS, Rig.COLUMNS), r));
        }
      }
      assertThat(received).as("%s, all that was sent arrived", c).isEqualTo(sent);
    }
  }

  private static List<List<RankRenderer.Outcome>> overGloo(int n, List<Case> cases)
      throws Exception {
    int port;
    try (ServerSocket free = new ServerSocket(0)) {
      port = free.getLocalPort();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
    try (ExecutorService pool = Executors.newFixedThreadPool(n)) {
      List<Future<List<RankRenderer.Outcome>>> futures = new ArrayList<>();
      for (int r = 0; r < n; r++) {
        int rank = r;
        Callable<List<RankRenderer.Outcome>> work = () -> rank(rank, n, port, cases);
        futures.add(pool.submit(work));
      }
      List<List<RankRenderer.Outcome>> all = new ArrayList<>();
      for (Future<List<RankRenderer.Outcome>> f : futures) {
        all.add(f.get());
      }
      return all;
    }
  }

  private static List<RankRenderer.Outcome> rank(int rank, int n, int port, List<Case> cases) {
    RankEnvironment environment = new RankEnvironment(rank, n, rank, "127.0.0.1", port);
    GroupOptions options = new GroupOptions(Duration.ofSeconds(600), java.util.Optional.empty(), 1);
    ProcessGroup group = ProcessGroup.init(GroupBackend.GLOO, environment, options);
    try (ProcessExchange exchange = new ProcessExchange(group)) {
      List<RankRenderer.Outcome> outcomes = new ArrayList<>();
      for (Case c : cases) {
        Job job = Rig.job(c.strategy, c.split, c.warmup, STEPS);
        try (TensorScope scope = TensorScope.open()) {
          assert scope != null;
          outcomes.add(
              RankRenderer.render(c.model, job, Rig.noise(3), Rig.labels(job), exchange, _ -> {}));
        }
      }
      group.barrier();
      return outcomes;
    }
  }
}
