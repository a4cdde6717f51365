// All routes.
import type { Api, ApiContext } from "../context";
import { addConversationRoutes } from "./conversations";
import { addCustomerRoutes } from "./customers";
import { addLiveRoutes } from "./live";
import { addOperationRoutes } from "./operation";
import { addPeopleRoutes } from "./people";
import { addPrivacyRoutes } from "./privacy";

export function addRoutes(app: Api, context: ApiContext): void {
  addPeopleRoutes(app, context);
  addCustomerRoutes(app, context);
  addConversationRoutes(app, context);
  addLiveRoutes(app, context);
  addPrivacyRoutes(app, context);
  addOperationRoutes(app, context);
}
