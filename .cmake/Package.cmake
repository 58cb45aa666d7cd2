# What is installed, and the Debian package: cmake --build --preset release && (cd build/release && cpack -G DEB).
include_guard(GLOBAL)
include(GNUInstallDirs)

set(EPLAN_DEBIAN ${PROJECT_SOURCE_DIR}/conf/debian)
find_program(GZIP gzip REQUIRED)

# Documentation is compressed without name and time, so that the same source gives the same package.
function(eplan_compressed source target)
  set(output ${PROJECT_BINARY_DIR}/package/${target})
  file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/package)
  add_custom_command(OUTPUT ${output} DEPENDS ${source}
    COMMAND ${GZIP} -9 -n -c ${source} > ${output} VERBATIM)
  set_property(GLOBAL APPEND PROPERTY EPLAN_COMPRESSED ${output})
endfunction()
eplan_compressed(${PROJECT_SOURCE_DIR}/gateway/eplan.8 eplan.8.gz)
eplan_compressed(${EPLAN_DEBIAN}/changelog changelog.gz)
get_property(compressed GLOBAL PROPERTY EPLAN_COMPRESSED)
add_custom_target(eplan_documents ALL DEPENDS ${compressed})

install(TARGETS eplan RUNTIME DESTINATION bin)
install(DIRECTORY mappings/ DESTINATION share/eplan/mappings FILES_MATCHING PATTERN "*.yaml" PATTERN "*.md")
install(FILES conf/gateway.yaml DESTINATION /etc/eplan)
install(FILES conf/ehrs.d/bearer.example.yaml conf/ehrs.d/smart.example.yaml DESTINATION /etc/eplan/ehrs.d)
install(DIRECTORY DESTINATION /etc/eplan/tls)
install(FILES conf/eplan-gateway.service DESTINATION /lib/systemd/system)
install(FILES ${EPLAN_DEBIAN}/eplan.sysusers DESTINATION lib/sysusers.d RENAME eplan.conf)
install(FILES ${PROJECT_BINARY_DIR}/package/eplan.8.gz DESTINATION share/man/man8)
install(FILES ${EPLAN_DEBIAN}/copyright ${PROJECT_BINARY_DIR}/package/changelog.gz DESTINATION share/doc/eplan)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME eplan)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "ePlan gateway <eplan@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "healthy-weight care plans, proposed to FHIR R4 systems")
set(CPACK_PACKAGE_DESCRIPTION "A daemon that polls and receives FHIR resources over TLS, maps a child's
growth to healthy-weight plan templates by declarative mapping files, and
writes proposed CarePlans back to the EHR.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_SET_DESTDIR OFF)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "ca-certificates, systemd | systemd-standalone-sysusers")
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
  "${EPLAN_DEBIAN}/postinst;${EPLAN_DEBIAN}/prerm;${EPLAN_DEBIAN}/postrm;${EPLAN_DEBIAN}/conffiles")
include(CPack)
