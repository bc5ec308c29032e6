package io.spillway.diffusion.sampling;

import io.spillway.platform.Json;
import io.spillway.platform.Nearest;
import io.spillway.platform.SpillwayException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import tools.jackson.databind.JsonNode;

/// Finds samplers by the name on the command line or in a diffusers scheduler file.
public final class Samplers {
  private static final List<String> NAMES = List.of("ddim", "euler", "dpm++", "flow-euler");

  private Samplers() {}

  public static List<String> names() {
    return NAMES;
  }

  /// The sampler of that name over the model's schedule.
  ///
  /// **Errors:** an unknown name, or a flow sampler for a model that predicts noise and the other
  /// way round.
  public static Sampler named(String name, Sampler own) {
    String wanted = name.strip().toLowerCase(Locale.ROOT);
    if (wanted.equals("auto") || wanted.equals(own.name())) {
      return own;
    }
    if (!NAMES.contains(wanted)) {
      throw SpillwayException.badInput(
          "scheduler '%s' is unknown, %s", name, Nearest.hint(wanted, NAMES));
    }
    if (own instanceof FlowEuler || wanted.equals("flow-euler")) {
      throw SpillwayException.badInput(
          "scheduler '%s' does not fit: the model was trained for %s; take --sampler %s",
          name, own.name(), own.name());
    }
    NoiseSchedule schedule =
        switch (own) {
          case Ddim d -> d.schedule();
          case Euler e -> e.schedule();
          case DpmSolver d -> d.schedule();
          case FlowEuler _ -> throw new IllegalStateException("checked above");
        };
    return switch (wanted) {
      case "ddim" -> new Ddim(schedule);
      case "euler" -> new Euler(schedule);
      default -> new DpmSolver(schedule);
    };
  }

  /// Reads `scheduler_config.json`.
  ///
  /// **Errors:** an unknown class or a prediction type other than noise, with the file.
  public static Sampler read(Path file) {
    JsonNode json = Json.readTree(file);
    String type = json.path("_class_name").asString("");
    for (String unsupported :
        List.of(
            "use_karras_sigmas",
            "use_exponential_sigmas",
            "use_beta_sigmas",
            "use_lu_lambdas",
            "use_dynamic_shifting",
            "rescale_betas_zero_snr",
            "thresholding",
            "clip_sample")) {
      if (json.path(unsupported).asBoolean(false)) {
        throw SpillwayException.badFile(
            file, "", "%s is not supported, only without it", unsupported);
      }
    }
    String algorithm = json.path("algorithm_type").asString("dpmsolver++");
    if (!algorithm.equals("dpmsolver++") || json.path("solver_order").asInt(2) != 2) {
      throw SpillwayException.badFile(
          file, "", "only dpmsolver++ of order 2 is supported, not %s", algorithm);
    }
    if (type.equals("FlowMatchEulerDiscreteScheduler")) {
      return new FlowEuler(json.path("shift").asDouble(1));
    }
    String prediction = json.path("prediction_type").asString("epsilon");
    if (!prediction.equals("epsilon")) {
      throw SpillwayException.badFile(
          file, "", "prediction_type %s is not supported, only epsilon", prediction);
    }
    String betas = json.path("beta_schedule").asString("linear");
    if (!betas.equals("linear") && !betas.equals("scaled_linear")) {
      throw SpillwayException.badFile(
          file, "", "beta_schedule %s is none of linear, scaled_linear", betas);
    }
    String spacing =
        json.path("timestep_spacing").asString(type.startsWith("DDIM") ? "leading" : "linspace");
    NoiseSchedule.Spacing kind =
        switch (spacing) {
          case "leading" -> NoiseSchedule.Spacing.LEADING;
          case "trailing" -> NoiseSchedule.Spacing.TRAILING;
          case "linspace" -> NoiseSchedule.Spacing.LINSPACE;
          default ->
              throw SpillwayException.badFile(
                  file, "", "timestep_spacing %s is none of leading, trailing, linspace", spacing);
        };
    NoiseSchedule schedule =
        new NoiseSchedule(
            json.path("num_train_timesteps").asInt(1000),
            json.path("beta_start").asDouble(0.0001),
            json.path("beta_end").asDouble(0.02),
            betas.equals("scaled_linear"),
            kind,
            json.path("steps_offset").asInt(0),
            json.path("set_alpha_to_one").asBoolean(true));
    return switch (type) {
      case "DDIMScheduler" -> new Ddim(schedule);
      case "EulerDiscreteScheduler" -> new Euler(schedule);
      case "DPMSolverMultistepScheduler" -> new DpmSolver(schedule);
      default ->
          throw SpillwayException.badFile(
              file,
              "",
              "scheduler %s is unknown; known: DDIMScheduler, EulerDiscreteScheduler,"
                  + " DPMSolverMultistepScheduler, FlowMatchEulerDiscreteScheduler",
              type.isEmpty() ? "without _class_name" : type);
    };
  }
}
