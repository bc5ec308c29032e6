package io.spillway.cli.diffusion;

import io.spillway.cli.DeviceOption;
import io.spillway.cli.SpillwayCommand;
import io.spillway.diffusion.Caption;
import io.spillway.diffusion.ImageModel;
import io.spillway.diffusion.Images;
import io.spillway.diffusion.Wish;
import io.spillway.diffusion.parallel.Job;
import io.spillway.diffusion.parallel.ProcessExchange;
import io.spillway.diffusion.parallel.RankRenderer;
import io.spillway.diffusion.shapes.Png;
import io.spillway.diffusion.text.TextEncoders;
import io.spillway.platform.Progress;
import io.spillway.platform.SpillwayException;
import io.spillway.platform.launch.RankEnvironment;
import io.spillway.platform.units.Bytes;
import io.spillway.platform.units.Seconds;
import io.spillway.tensor.ComputeDevice;
import io.spillway.tensor.DType;
import io.spillway.tensor.group.GroupBackend;
import io.spillway.tensor.group.GroupOptions;
import io.spillway.tensor.group.ProcessGroup;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `diffuse`: makes images, alone or with many ranks.
@Command(
    name = "diffuse",
    description = "Make images; several ranks share one image by a strategy.",
    subcommands = {
      CompareCommand.class,
      DiffusePlanCommand.class,
      DiffuseTrainCommand.class,
      JudgeCommand.class,
      ServeImagesCommand.class
    })
public final class DiffuseCommand extends SpillwayCommand {
  @Mixin private JobOptions options = new JobOptions();

  @Mixin private WishOptions wishes = new WishOptions();

  @Option(
      names = "--strategy",
      defaultValue = "single",
      description =
          "single, naive, distrifusion[-x], pcpp[-pool][-x], turns[:SHARE], ulysses, ring, mesh,"
              + " pipefusion or tensor; -x extrapolates, -pool adds averaged far keys, turns"
              + " renews a share of each strip's kept keys in a step (0.125); default"
              + " ${DEFAULT-VALUE}.")
  private String strategy = "single";

  @Mixin private DeviceOption device = new DeviceOption();

  @Option(
      names = "--type",
      defaultValue = "F32",
      description =
          "What denoiser and text encoders compute in: F32, F16 or BF16; default"
              + " ${DEFAULT-VALUE}.")
  private Floating type = Floating.F32;

  /// What `--type` takes.
  enum Floating {
    F32,
    F16,
    BF16;

    DType dtype() {
      return switch (this) {
        case F32 -> DType.F32;
        case F16 -> DType.F16;
        case BF16 -> DType.BF16;
      };
    }
  }

  @Option(
      names = "--patience",
      defaultValue = "120",
      description =
          "Seconds after which a process ends the job because another, started by ./spillway launch,"
              + " is silent, 1 to 86400; one that dies ends it at once; default ${DEFAULT-VALUE}.")
  private int patience;

  @Option(
      names = "--out",
      defaultValue = "image.png",
      description =
          "PNG file; several images get a number before the ending; default" + " ${DEFAULT-VALUE}.")
  private Path out = Path.of("image.png");

  @Override
  protected void execute() {
    if (options.ranks < 1 || options.ranks > 64) {
      throw SpillwayException.badInput("--ranks %d: between 1 and 64", options.ranks);
    }
    if (patience < 1 || patience > 86_400) {
      throw SpillwayException.badInput("--patience %d: between 1 and 86400 seconds", patience);
    }
    boolean processes = RankEnvironment.isSet() && RankEnvironment.current().worldSize() > 1;
    // ranks as threads exchange host memory
    ComputeDevice chosen = device.choose(!processes && options.ranks > 1);
    try (ImageModel model = ImageModel.open(options.model, chosen, type.dtype())) {
      Wish wish = wishes.wish(model);
      TextEncoders text = model.text();
      if (text != null && wish instanceof Wish.Prompts(List<String> texts, Optional<String> not)) {
        List<String> all = new ArrayList<>(texts);
        not.ifPresent(all::add);
        text.leftOut(all).forEach(note -> System.err.println("spillway: " + note));
      }
      long[] seeds = new long[wish.count()];
      java.util.Arrays.setAll(seeds, i -> options.seed + i);
      Images images = new Images(model, options.size(model), seeds, wish);
      if (processes) {
        onProcesses(images, chosen);
      } else {
        onThreads(images);
      }
    }
  }

  private void onThreads(Images images) {
    Job job = options.job(images.model(), strategy, options.ranks);
    job.check(images.model().denoiser(), options.ranks);
    io.spillway.tensor.Torch.threads(
        Math.max(1, Runtime.getRuntime().availableProcessors() / options.ranks));
    try (Progress.Task task = progress().start("diffuse", options.steps)) {
      Images.Made made = images.make(job, options.ranks, task);
      finish(images, job, options.ranks, made.pixels(), made.ranks());
    }
  }

  private void onProcesses(Images images, ComputeDevice chosen) {
    RankEnvironment environment = RankEnvironment.current();
    Job job = options.job(images.model(), strategy, environment.worldSize());
    job.check(images.model().denoiser(), environment.worldSize());
    GroupBackend backend = chosen.isCuda() ? GroupBackend.NCCL : GroupBackend.GLOO;
    ProcessGroup group =
        ProcessGroup.init(
            backend,
            environment,
            GroupOptions.defaults().withTimeout(Duration.ofSeconds(patience)));
    try (ProcessExchange exchange = new ProcessExchange(group);
        Progress.Task task =
            (environment.rank() == 0 ? progress() : Progress.silent())
                .start("diffuse", options.steps)) {
      RankRenderer.Outcome outcome = images.onRank(job, exchange, _ -> task.advance(1));
      if (environment.rank() == 0) {
        finish(images, job, environment.worldSize(), images.pixels(outcome), List.of(outcome));
      }
      group.barrier();
    }
  }

  private void finish(
      Images images, Job job, int ranks, float[] pixels, List<RankRenderer.Outcome> outcomes) {
    int size = images.size();
    int count = images.wish().count();
    List<String> files = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      Path file = count == 1 ? out : numbered(i);
      Png.write(
          file,
          Png.image(pixels, i * 3 * size * size, size, size),
          Caption.of(images, job, ranks, i));
      files.add(file.toString());
    }
    RankRenderer.Outcome most =
        outcomes.stream()
            .max(java.util.Comparator.comparingLong(RankRenderer.Outcome::received))
            .orElseThrow();
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put("files", files);
    answer.put("strategy", job.strategy().label());
    answer.put("ranks", ranks);
    answer.put("seconds", most.seconds());
    answer.put("receivedBytes", most.received());
    answer.put("displacedStepBytes", most.displacedReceived());
    answer.put("bufferBytes", most.bufferBytes());
    answer.put("recording", most.recording());
    answer(
        answer,
        String.join("\n", files)
            + String.format(
                "%n%s on %d ranks: %s; most received by a rank %s, in one displaced step %s;"
                    + " exchange buffers %s",
                job.strategy().label(),
                ranks,
                new Seconds(most.seconds()),
                new Bytes(most.received()),
                new Bytes(most.displacedReceived()),
                new Bytes(most.bufferBytes()))
            + (job.recorded() ? String.format("%ndisplaced steps: %s", most.recording()) : ""));
  }

  private Path numbered(int index) {
    String name = out.getFileName().toString();
    int dot = name.lastIndexOf('.');
    String stem = dot < 0 ? name : name.substring(0, dot);
    return out.resolveSibling(stem + "-" + index + (dot < 0 ? ".png" : name.substring(dot)));
  }
}
