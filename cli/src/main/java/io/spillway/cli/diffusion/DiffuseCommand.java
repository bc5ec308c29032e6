package io.spillway.cli.diffusion;

import io.spillway.cli.SpillwayCommand;
import io.spillway.diffusion.ImageModel;
import io.spillway.diffusion.Images;
import io.spillway.diffusion.parallel.Job;
import io.spillway.diffusion.parallel.ProcessExchange;
import io.spillway.diffusion.parallel.RankRenderer;
import io.spillway.diffusion.shapes.Png;
import io.spillway.diffusion.shapes.Shape;
import io.spillway.platform.Progress;
import io.spillway.platform.SpillwayException;
import io.spillway.platform.launch.RankEnvironment;
import io.spillway.platform.units.Bytes;
import io.spillway.platform.units.Seconds;
import io.spillway.tensor.ComputeDevice;
import io.spillway.tensor.Devices;
import io.spillway.tensor.group.GroupBackend;
import io.spillway.tensor.group.GroupOptions;
import io.spillway.tensor.group.ProcessGroup;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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
      JudgeCommand.class
    })
public final class DiffuseCommand extends SpillwayCommand {
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  @Mixin private JobOptions options = new JobOptions();

  @Option(
      names = {"--class", "--prompt"},
      defaultValue = "disc",
      description =
          "What to draw: disc, ring, square, triangle, plus, crescent, stripes or"
              + " hourglass, or a class number; default ${DEFAULT-VALUE}.")
  private String prompt = "disc";

  @Option(
      names = "--strategy",
      defaultValue = "single",
      description =
          "single, naive, distrifusion[-x], pcpp[-pool][-x], ulysses, ring, mesh,"
              + " pipefusion or tensor; -x extrapolates, -pool adds averaged far keys; default"
              + " ${DEFAULT-VALUE}.")
  private String strategy = "single";

  @Option(
      names = "--count",
      defaultValue = "1",
      description = "Images in one batch, with consecutive seeds; default ${DEFAULT-VALUE}.")
  private int count;

  @Option(
      names = "--device",
      defaultValue = "auto",
      description = "auto, cpu, cuda or cuda:N; default ${DEFAULT-VALUE}.")
  private String device = "auto";

  @Option(
      names = "--out",
      defaultValue = "image.png",
      description =
          "PNG file; several images get a number before the ending; default" + " ${DEFAULT-VALUE}.")
  private Path out = Path.of("image.png");

  @Override
  protected void execute() {
    if (count < 1 || count > 256) {
      throw SpillwayException.badInput("--count %d: between 1 and 256", count);
    }
    if (options.ranks < 1 || options.ranks > 64) {
      throw SpillwayException.badInput("--ranks %d: between 1 and 64", options.ranks);
    }
    boolean processes = RankEnvironment.isSet() && RankEnvironment.current().worldSize() > 1;
    // ranks as threads exchange host memory
    ComputeDevice chosen =
        Devices.choose(!processes && options.ranks > 1 && device.equals("auto") ? "cpu" : device);
    try (ImageModel model = ImageModel.open(options.model, chosen)) {
      long[] seeds = new long[count];
      int[] labels = new int[count];
      java.util.Arrays.setAll(seeds, i -> options.seed + i);
      java.util.Arrays.fill(labels, label(model));
      Images images = new Images(model, options.size(model), seeds, labels);
      if (processes) {
        onProcesses(images, chosen);
      } else {
        onThreads(images);
      }
    }
  }

  private int label(ImageModel model) {
    if (model.classes() == Shape.values().length) {
      return Shape.of(prompt).ordinal();
    }
    try {
      return Integer.parseInt(prompt.strip());
    } catch (NumberFormatException e) {
      throw SpillwayException.badInput(
          "class '%s' is no number; %s has classes 0 to %d",
          prompt, model.name(), model.classes() - 1);
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
        ProcessGroup.init(backend, environment, GroupOptions.defaults().withTimeout(PATIENCE));
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
    List<String> files = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      Map<String, String> text = new LinkedHashMap<>();
      text.put("Software", "spillway diffuse");
      text.put("model", images.model().name());
      text.put("class", prompt);
      text.put("seed", String.valueOf(options.seed + i));
      text.put("steps", String.valueOf(job.steps()));
      text.put("sampler", job.sampler().name());
      text.put("guidance", String.valueOf(job.guidance()));
      text.put("strategy", job.strategy().label());
      text.put("ranks", String.valueOf(ranks));
      text.put("warmup", String.valueOf(job.warmup()));
      Path file = file(i);
      Png.write(file, Png.image(pixels, i * 3 * size * size, size, size), text);
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
                new Bytes(most.bufferBytes())));
  }

  private Path file(int index) {
    if (count == 1) {
      return out;
    }
    String name = out.getFileName().toString();
    int dot = name.lastIndexOf('.');
    String stem = dot < 0 ? name : name.substring(0, dot);
    return out.resolveSibling(stem + "-" + index + (dot < 0 ? ".png" : name.substring(dot)));
  }
}
