#include "fhir/model/model.h"
