package io.spillway.diffusion.parallel;

import io.spillway.diffusion.Strategy;
import io.spillway.diffusion.model.Denoiser;
import io.spillway.platform.launch.RankEnvironment;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Torch;
import io.spillway.tensor.group.GroupBackend;
import io.spillway.tensor.group.GroupOptions;
import io.spillway.tensor.group.ProcessGroup;
import java.time.Duration;

/// One rank of [GlooRanksIT]: renders over Gloo and prints how far it is from one device and
/// whether its bytes are those of the formula.
public final class RenderProgram {
  private RenderProgram() {}

  public static void main(String[] args) {
    Torch.threads(1);
    RankEnvironment environment = RankEnvironment.current();
    int ranks = environment.worldSize();
    int dies = Integer.parseInt(args[1]);
    Denoiser model = Rig.dit();
    try (ProcessGroup group =
        ProcessGroup.init(
            GroupBackend.GLOO,
            environment,
            GroupOptions.defaults().withTimeout(Duration.ofSeconds(10)))) {
      for (String name : args[0].split(",")) {
        Strategy strategy = Strategy.named(name, ranks, 0.3, 4, Strategy.Sync.CORRECTED_ASYNC_GN);
        Job job = Rig.job(strategy, false, 1, 4);
        float[] threads = Rig.render(model, job, ranks).get(environment.rank()).image();
        try (TensorScope scope = TensorScope.open()) {
          assert scope != null;
          RankRenderer.Outcome outcome =
              RankRenderer.render(
                  model,
                  job,
                  Rig.noise(3),
                  Rig.labels(job),
                  new ProcessExchange(group),
                  step -> {
                    if (dies == environment.rank() && step == 1) {
                      System.out.println("rank dies");
                      System.out.flush();
                      Runtime.getRuntime().halt(9);
                    }
                  });
          long formula =
              new WireBytes(strategy, ranks, 4, 2, 4)
                  .received(model.sites(Rig.ROWS, Rig.COLUMNS), environment.rank());
          System.out.println(
              name
                  + (Rig.distance(outcome.image(), threads) < 1e-4 ? " same" : " differs")
                  + (outcome.displacedReceived() == formula ? " counted" : " miscounted"));
        }
      }
      group.barrier();
    }
  }
}
