package io.spillway.cli;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// Holds the direction of imports that the architecture page draws.
final class ArchitectureTest {
  private static final List<String> SYSTEMS =
      List.of("simulator", "longcontext", "planner", "training", "diffusion", "reservoir");

  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("io.spillway");

  @Test
  void noSystemImportsAnother() {
    for (String system : SYSTEMS) {
      String[] others =
          SYSTEMS.stream()
              .filter(s -> !s.equals(system))
              .map(ArchitectureTest::tree)
              .toArray(String[]::new);
      noClasses()
          .that()
          .resideInAPackage(tree(system))
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(others)
          .allowEmptyShould(true)
          .check(CLASSES);
    }
  }

  @Test
  void lowerLayersDoNotImportHigherOnes() {
    lower(
        "platform",
        Stream.concat(
            SYSTEMS.stream(),
            Stream.of("report", "tensor", "kernels", "models", "sweep", "server", "ui", "cli")));
    lower(
        "kernels",
        Stream.concat(
            SYSTEMS.stream(),
            Stream.of("report", "tensor", "models", "sweep", "server", "ui", "cli")));
    lower(
        "report",
        Stream.concat(
            SYSTEMS.stream(), Stream.of("tensor", "kernels", "models", "server", "ui", "cli")));
    lower(
        "tensor",
        Stream.concat(
            SYSTEMS.stream(), Stream.of("report", "models", "sweep", "server", "ui", "cli")));
    lower(
        "models",
        Stream.concat(SYSTEMS.stream(), Stream.of("report", "sweep", "server", "ui", "cli")));
    for (String system : SYSTEMS) {
      lower(system, Stream.of("cli", "server", "ui"));
    }
  }

  @Test
  void theSimulatorIsPlainJava() {
    noClasses()
        .that()
        .resideInAnyPackage(tree("simulator"), tree("platform"), tree("report"))
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("org.bytedeco..", tree("tensor"))
        .allowEmptyShould(true)
        .check(CLASSES);
  }

  @Test
  void onlyTensorScopeOpensPointerScopes() {
    noClasses()
        .that()
        .resideOutsideOfPackage("io.spillway.tensor..")
        .should()
        .dependOnClassesThat()
        .haveFullyQualifiedName("org.bytedeco.javacpp.PointerScope")
        .check(CLASSES);
  }

  @Test
  void randomnessComesFromSeedsAlone() {
    noClasses()
        .should()
        .dependOnClassesThat()
        .haveFullyQualifiedName("java.util.Random")
        .orShould()
        .callMethod(Math.class, "random")
        .check(CLASSES);
  }

  @Test
  void modulesHaveNoCycles() {
    slices().matching("io.spillway.(*)..").should().beFreeOfCycles().check(CLASSES);
  }

  private static void lower(String module, Stream<String> higher) {
    noClasses()
        .that()
        .resideInAPackage(tree(module))
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            Arrays.stream(higher.toArray(String[]::new))
                .map(ArchitectureTest::tree)
                .toArray(String[]::new))
        .allowEmptyShould(true)
        .check(CLASSES);
  }

  private static String tree(String module) {
    return "io.spillway." + module + "..";
  }
}
