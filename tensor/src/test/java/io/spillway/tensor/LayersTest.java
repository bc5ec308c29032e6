package io.spillway.tensor;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

class LayersTest {
  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("io.spillway.tensor");

  @Test
  void safetensorsAreReadWithoutTorch() {
    noClasses()
        .that()
        .resideInAPackage("io.spillway.tensor.safetensors..")
        .or()
        .haveSimpleName("DType")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("org.bytedeco..")
        .check(CLASSES);
  }

  @Test
  void onlyTensorScopeTouchesPointerScope() {
    noClasses()
        .that()
        .doNotHaveSimpleName("TensorScope")
        .should()
        .dependOnClassesThat()
        .haveFullyQualifiedName("org.bytedeco.javacpp.PointerScope")
        .check(CLASSES);
  }
}
