package io.spillway.ui;

import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import io.spillway.planner.Job;
import io.spillway.planner.Method;
import io.spillway.planner.Planner;
import io.spillway.planner.PlannerDemonstration;
import io.spillway.planner.cost.Calibration;
import io.spillway.planner.memory.MemoryModel;
import io.spillway.planner.output.Explanation;
import io.spillway.planner.search.Answer;
import io.spillway.planner.search.Request;
import io.spillway.platform.Progress;
import io.spillway.platform.Seeds;
import io.spillway.platform.SpillwayException;
import io.spillway.platform.hardware.Cluster;
import io.spillway.platform.hardware.Precision;
import io.spillway.platform.model.ModelShape;
import io.spillway.platform.model.Models;
import io.spillway.server.http.HttpService;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/// Plans a job on a cluster that the reader edits.
final class PlannerView implements View {
  private static final int TOP = 5;
  private static final double SECONDS = 10;
  private static final double MARGIN = 0.06;

  @Override
  public void route(Routes routes) {
    routes.get(
        "planner",
        (request, response) ->
            HttpService.json(
                response,
                Map.of(
                    "models",
                    Models.all().stream().map(ModelShape::name).toList(),
                    "methods",
                    Arrays.stream(Method.values()).map(Enum::name).toList(),
                    "cluster",
                    PlannerDemonstration.unevenCluster(4, new Seeds(1)).toYaml())));
    routes.post("planner", this::plan);
  }

  private void plan(ServerRequest request, ServerResponse response) {
    JsonNode body = HttpService.body(request);
    Cluster cluster = Cluster.parse(View.text(body, "cluster", ""), "the cluster");
    Job job =
        new Job(
            Models.find(View.text(body, "model", "gpt-18.4b")),
            View.number(body, "globalBatch", 256, 1, 1 << 20),
            View.number(body, "sequence", 2048, 1, 1 << 22),
            Precision.BF16,
            true);
    Request wanted =
        new Request(
            job,
            cluster,
            Calibration.builtIn(),
            MemoryModel.builtIn(),
            TOP,
            SECONDS,
            MARGIN,
            new Seeds(1));
    Answer answer =
        Planner.plan(method(View.text(body, "method", "SPILLWAY")), wanted, Progress.silent());
    HttpService.json(
        response,
        Map.of(
            "page",
            Explanation.page(
                    job, cluster, answer.plans(), wanted.calibration(), answer.log().toString())
                .render()));
  }

  private static Method method(String name) {
    try {
      return Method.valueOf(name.toUpperCase(Locale.ROOT));
    } catch (IllegalArgumentException e) {
      throw SpillwayException.badInput(
          "method '%s' is none of %s", name, Arrays.toString(Method.values()));
    }
  }
}
