# The directory as a file that may change while the program runs.
simpul_library(
  simpul_directory_file
  SRCS directory_file.cc
  DEPS simpul_base simpul_fhir simpul_protos absl::status absl::statusor)
