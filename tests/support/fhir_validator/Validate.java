import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.validation.FhirValidator;
import ca.uhn.fhir.validation.SingleValidationMessage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;
import ca.uhn.fhir.validation.ResultSeverityEnum;
import org.hl7.fhir.common.hapi.validation.support.CommonCodeSystemsTerminologyService;
import org.hl7.fhir.common.hapi.validation.support.InMemoryTerminologyServerValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.ValidationSupportChain;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;

/**
 * Validates FHIR R4 resources: structure, invariants, required codes, units. Prints every error and
 * fatal error as "file: path: words"; with -v warnings too. Exit status 0 without errors, 1 with, 2
 * when nothing was given to validate.
 */
public class Validate {
  public static void main(String[] args) throws Exception {
    FhirContext context = FhirContext.forR4();
    ValidationSupportChain support =
        new ValidationSupportChain(
            new DefaultProfileValidationSupport(context),
            new InMemoryTerminologyServerValidationSupport(context),
            new CommonCodeSystemsTerminologyService(context));
    FhirValidator validator = context.newValidator();
    validator.registerValidatorModule(new FhirInstanceValidator(support));
    boolean verbose = false;
    int files = 0;
    int errors = 0;
    Map<ResultSeverityEnum, Integer> counts = new EnumMap<>(ResultSeverityEnum.class);
    for (String arg : args) {
      if (arg.equals("-v")) {
        verbose = true;
        continue;
      }
      ++files;
      String text = Files.readString(Path.of(arg));
      for (SingleValidationMessage message : validator.validateWithResult(text).getMessages()) {
        counts.merge(message.getSeverity(), 1, Integer::sum);
        boolean error = message.getSeverity().ordinal() >= ResultSeverityEnum.ERROR.ordinal();
        if (error) ++errors;
        if (error || verbose) {
          System.out.printf(
              "%s: %s: %s: %s%n",
              Path.of(arg).getFileName(),
              message.getSeverity().getCode(),
              message.getLocationString(),
              message.getMessage());
        }
      }
    }
    System.out.printf("%d files, %d errors, all messages by severity: %s%n", files, errors, counts);
    System.exit(files == 0 ? 2 : errors == 0 ? 0 : 1);
  }
}
