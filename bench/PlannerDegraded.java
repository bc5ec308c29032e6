import io.spillway.planner.Job;
import io.spillway.planner.Method;
import io.spillway.planner.Planner;
import io.spillway.planner.PlannerDemonstration;
import io.spillway.planner.cost.Calibration;
import io.spillway.planner.memory.MemoryModel;
import io.spillway.planner.search.Request;
import io.spillway.platform.Progress;
import io.spillway.platform.Seeds;
import io.spillway.platform.hardware.Cluster;
import io.spillway.platform.hardware.Precision;
import io.spillway.platform.model.Models;
import java.nio.file.Path;
import java.util.Locale;

/// Ten seeded draws of a tenth of a cluster's links at a third of their rate: the iteration by the
/// event-driven model for every method's plan.
///
/// Run: `java -cp <the jars> bench/PlannerDegraded.java CLUSTER.yaml [MODEL] [BATCH]`
void main(String[] args) {
  Cluster cluster = Cluster.read(Path.of(args[0]));
  String model = args.length > 1 ? args[1] : "gpt-175b";
  int batch = args.length > 2 ? Integer.parseInt(args[2]) : 1536;
  Job job = new Job(Models.find(model), batch, 2048, Precision.BF16, false);
  System.out.println("draw," + java.util.Arrays.toString(Method.values()));
  for (long draw = 1; draw <= 10; draw++) {
    Cluster degraded = PlannerDemonstration.degraded(cluster, draw);
    Request request =
        new Request(
            job,
            degraded,
            Calibration.builtIn(),
            MemoryModel.builtIn(),
            1,
            120,
            0.06,
            new Seeds(draw));
    StringBuilder line = new StringBuilder("" + draw);
    for (Method method : Method.values()) {
      try {
        var best = Planner.plan(method, request, Progress.silent()).best();
        line.append(
            String.format(
                Locale.ROOT,
                ", %.3f (%.3f unplaced; %s)",
                best.time().seconds(),
                best.identitySeconds(),
                best.cut().label()));
      } catch (io.spillway.platform.SpillwayException e) {
        line.append(", nothing fits");
      }
    }
    System.out.println(line);
  }
}
